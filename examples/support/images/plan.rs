//! The plan of a chart: what is placed once for the whole sheet, so that all
//! tiles agree on it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::similar_names,
    reason = "coordinates on the sheet are small"
)]

use super::lettering::Style;
use super::noise::{Relief, Slope, dice};
use super::pen::{Ink, Point, Stroke};

/// The sheet in its own units. Pictures of any size show the whole of it.
pub const SHEET: (f32, f32) = (1500.0, 1000.0);
/// The chart inside the frame: left, top, right, bottom.
pub const FIELD: [f32; 4] = [46.0, 46.0, 1454.0, 954.0];
/// Lettering that stands at one place of the chart.
#[derive(Debug)]
pub struct Label {
    pub ink: Ink,
    pub strokes: Vec<Stroke>,
    pub bounds: [f32; 4],
    /// The height of its letters: too small to read, it is left out.
    pub height: f32,
}

/// What is placed once for the whole sheet.
#[derive(Debug)]
pub struct Furniture {
    pub labels: Vec<Label>,
    pub towns: Vec<Point>,
    /// Where no small marks go.
    pub taken: Vec<[f32; 4]>,
    pub cartouche: [f32; 4],
    pub rose: Point,
}

/// Whether a point lies in a rectangle.
#[inline]
pub fn inside(bounds: &[f32; 4], x: f32, y: f32) -> bool {
    x > bounds[0] && x < bounds[2] && y > bounds[1] && y < bounds[3]
}

pub fn around(middle: Point, width: f32, height: f32) -> [f32; 4] {
    [
        middle.0 - width / 2.0,
        middle.1 - height / 2.0,
        middle.0 + width / 2.0,
        middle.1 + height / 2.0,
    ]
}

fn overlap(a: &[f32; 4], b: &[f32; 4]) -> bool {
    a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1]
}

/// Finds places on the sheet for what is put on it once.
pub struct Plan {
    seed: u32,
    relief: Relief,
    /// Heights on a grid over the sheet.
    survey: Vec<f32>,
    rolls: i32,
    /// Where no second large name goes.
    named: Vec<[f32; 4]>,
    found: Furniture,
}

impl Plan {
    const GRID: f32 = 10.0;
    const COLUMNS: usize = (SHEET.0 / Self::GRID) as usize;
    const CARTOUCHE: (f32, f32) = (330.0, 176.0);
    pub const ROSE: f32 = 92.0;

    pub fn new(seed: u32) -> Self {
        // Places follow from the larger forms alone.
        let mut relief = Relief::new(seed, SHEET, 3.0);
        let mut survey = Vec::new();
        let mut row = [Slope::default(); Self::COLUMNS];
        for index in 0..(SHEET.1 / Self::GRID) as usize {
            relief.row((0.0, index as f32 * Self::GRID), Self::GRID, &mut row);
            survey.extend(row.iter().map(|slope| slope.value));
        }
        let found = Furniture {
            labels: Vec::new(),
            towns: Vec::new(),
            taken: Vec::new(),
            cartouche: [0.0; 4],
            rose: (0.0, 0.0),
        };
        Self { seed, relief, survey, rolls: 0, named: Vec::new(), found }
    }

    pub fn furnish(mut self) -> Furniture {
        let archipelago = self.name();
        self.cartouche(&archipelago);
        self.rose();
        for rank in 0..3 {
            self.sea_name(rank);
        }
        for rank in 0..7 {
            self.land_name(rank);
        }
        self.towns();
        self.degrees();
        self.found
    }

    fn roll(&mut self) -> f32 {
        self.rolls += 1;
        dice(self.seed, self.rolls, 77)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = (self.roll() * from.len() as f32) as usize;
        from[index.min(from.len() - 1)]
    }

    fn name(&mut self) -> String {
        const STARTS: &[&str] = &[
            "A", "BEL", "CAR", "DOR", "EL", "FAR", "GAL", "HAV", "IS", "KOR", "LUM", "MAR", "NER",
            "OR", "PEL", "QUI", "ROS", "SAL", "TAM", "UL", "VAN", "WIN", "YS", "ZEPH", "THAL",
        ];
        const MIDDLES: &[&str] = &["A", "E", "I", "O", "U", "AN", "EL", "IR", "OM", "AR", "IL"];
        const ENDS: &[&str] = &[
            "DIA", "LIS", "MAR", "NOR", "RA", "SUND", "TIS", "VALE", "WICK", "STAD", "RIA", "MONT",
            "DOS", "NESS", "HOLM", "GARD",
        ];
        let start = self.pick(STARTS);
        let middle = if self.roll() < 0.55 { self.pick(MIDDLES) } else { "" };
        let end = self.pick(ENDS);
        format!("{start}{middle}{end}")
    }

    fn take(&mut self, bounds: [f32; 4]) {
        self.found.taken.push(bounds);
    }

    fn free(&self, bounds: &[f32; 4]) -> bool {
        bounds[0] > FIELD[0] + 6.0
            && bounds[1] > FIELD[1] + 6.0
            && bounds[2] < FIELD[2] - 6.0
            && bounds[3] < FIELD[3] - 6.0
            && !self.found.taken.iter().any(|taken| overlap(taken, bounds))
    }

    fn write(&mut self, ink: Ink, style: Style, text: &str, middle: Point) {
        let strokes = style.set(text, middle);
        let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        for stroke in &strokes {
            for (x, y) in [stroke.from, stroke.to] {
                bounds[0] = bounds[0].min(x - style.height * 0.4);
                bounds[1] = bounds[1].min(y - style.height * 0.4);
                bounds[2] = bounds[2].max(x + style.height * 0.4);
                bounds[3] = bounds[3].max(y + style.height * 0.4);
            }
        }
        self.found.labels.push(Label { ink, strokes, bounds, height: style.height });
    }

    /// The lowest and the highest ground in a rectangle.
    fn range(&self, bounds: &[f32; 4]) -> (f32, f32) {
        let (mut low, mut high) = (f32::MAX, f32::MIN);
        let at = |units: f32| (units.max(0.0) / Self::GRID) as usize;
        for row in self.survey.chunks(Self::COLUMNS).take(at(bounds[3]) + 1).skip(at(bounds[1])) {
            for value in row.iter().take(at(bounds[2]) + 1).skip(at(bounds[0])) {
                low = low.min(*value);
                high = high.max(*value);
            }
        }
        (low, high)
    }

    /// The free place for a rectangle with the most of what is `wanted`.
    fn best(
        &self,
        width: f32,
        height: f32,
        wanted: impl Fn(f32, f32) -> f32,
    ) -> Option<(Point, f32)> {
        let mut best: Option<(Point, f32)> = None;
        for row in 0..44 {
            for column in 0..66 {
                let middle = (column as f32 * 22.0 + 40.0, row as f32 * 22.0 + 30.0);
                let bounds = around(middle, width, height);
                if !self.free(&bounds) || self.named.iter().any(|named| overlap(named, &bounds)) {
                    continue;
                }
                let (low, high) = self.range(&bounds);
                let score = wanted(low, high);
                if best.is_none_or(|(_, least)| score > least) {
                    best = Some((middle, score));
                }
            }
        }
        best
    }

    fn cartouche(&mut self, archipelago: &str) {
        let (width, height) = Self::CARTOUCHE;
        let (x, y) = (FIELD[0] + 26.0 + width / 2.0, FIELD[1] + 26.0 + height / 2.0);
        let corners = [(x, y), (SHEET.0 - x, y), (SHEET.0 - x, SHEET.1 - y), (x, SHEET.1 - y)];
        let mut best = (corners[0], f32::MAX);
        for corner in corners {
            let bounds = around(corner, width, height);
            let mut land = 0.0;
            for row in 0..8 {
                for column in 0..12 {
                    let x = bounds[0] + width * column as f32 / 11.0;
                    let y = bounds[1] + height * row as f32 / 7.0;
                    land += self.relief.at(x, y).value.max(-0.05);
                }
            }
            if land < best.1 {
                best = (corner, land);
            }
        }
        let (x, y) = best.0;
        self.found.cartouche = around(best.0, width, height);
        self.take(around(best.0, width + 12.0, height + 12.0));
        let year = 1741 + (self.roll() * 98.0) as u32;
        let surveyor = format!("{}. {}", self.pick(&["A", "C", "E", "J", "M", "T"]), self.name());
        self.write(Ink::Bold, Style::slanted(9.0).spaced(0.5), "A CHART OF THE", (x, y - 62.0));
        let title = Style::upright(27.0).bold();
        let length = title.length(archipelago);
        let title = Style { height: 27.0 * (width - 56.0).min(length) / length, ..title };
        self.write(Ink::Accent, title, archipelago, (x, y - 32.0));
        self.write(Ink::Bold, Style::upright(11.0).spaced(0.9), "ARCHIPELAGO", (x, y - 4.0));
        let line = format!("SURVEYED BY {surveyor} IN THE YEAR {year}");
        self.write(Ink::Bold, Style::slanted(5.4).spaced(0.4), &line, (x, y + 20.0));
        let line = "SOUNDINGS IN FATHOMS AT LOW WATER - HEIGHTS IN FEET";
        self.write(Ink::Bold, Style::upright(3.2).spaced(0.5), line, (x, y + 31.0));
        for (index, figure) in ["0", "10", "20", "30", "40"].into_iter().enumerate() {
            let at = (x - 100.0 + 50.0 * index as f32, y + 48.0);
            self.write(Ink::Bold, Style::upright(4.0), figure, at);
        }
        self.write(Ink::Bold, Style::slanted(4.0).spaced(0.6), "NAUTICAL MILES", (x, y + 70.0));
    }

    fn rose(&mut self) {
        let edge = Self::ROSE * 2.0 + 16.0;
        let place = self.best(edge, edge, |_, high| -high);
        let middle = place.map_or((SHEET.0 / 2.0, SHEET.1 / 2.0), |(middle, _)| middle);
        self.found.rose = middle;
        self.take(around(middle, edge, edge));
        for (text, dx, dy) in [("N", 0.0, -1.0), ("E", 1.0, 0.0), ("S", 0.0, 1.0), ("W", -1.0, 0.0)]
        {
            let far = Self::ROSE - 5.0;
            let at = (middle.0 + dx * far, middle.1 + dy * far);
            self.write(Ink::Bold, Style::upright(9.0).bold(), text, at);
        }
    }

    fn sea_name(&mut self, rank: usize) {
        let name = self.name();
        let (text, height) = match rank {
            0 => (format!("{name} OCEAN"), 19.0),
            1 => (format!("SEA OF {name}"), 13.0),
            _ => (format!("GULF OF {name}"), 10.0),
        };
        let style = Style::slanted(height).spaced(1.1).bent(self.roll() * 0.7 - 0.35);
        let (width, tall) = (style.length(&text) + 20.0, height * 2.6);
        if let Some((middle, score)) = self.best(width, tall, |_, high| -high) {
            if score > -0.06 {
                // No second name on the same water.
                self.take(around(middle, width, tall));
                self.named.push(around(middle, width + 60.0, tall + 150.0));
                self.write(Ink::Bold, style, &text, middle);
            }
        }
    }

    fn land_name(&mut self, rank: usize) {
        let name = self.name();
        let height = if rank < 2 { 16.0 } else { 8.5 };
        let style = Style::upright(height).spaced(1.0).bent(self.roll() * 0.6 - 0.3);
        let (width, tall) = (style.length(&name) + 10.0, height * 2.2);
        if let Some((middle, score)) = self.best(width, tall, |low, high| low * 2.0 + high * 0.3) {
            if score > -0.1 {
                // No second name on the same ground.
                self.take(around(middle, width, tall));
                self.named.push(around(middle, width + 60.0, tall + 110.0));
                self.write(Ink::Bold, style, &name, middle);
            }
        }
    }

    /// Towns lie near the coast, each with its name on the side of the sea.
    fn towns(&mut self) {
        for row in 0..10 {
            for column in 0..15 {
                let mut best: Option<(Point, f32)> = None;
                for _ in 0..24 {
                    let x = 60.0 + (column as f32 + self.roll()) * 92.0;
                    let y = 60.0 + (row as f32 + self.roll()) * 88.0;
                    let ground = self.relief.at(x, y).value;
                    if ground > 0.012 && best.is_none_or(|(_, least)| ground < least) {
                        best = Some(((x, y), ground));
                    }
                }
                let Some((town, ground)) = best else { continue };
                if ground > 0.12 || !self.free(&around(town, 8.0, 8.0)) {
                    continue;
                }
                let name = self.name();
                let style = Style::upright(4.2).spaced(0.4);
                let length = style.length(&name);
                let away = length / 2.0 + 6.0;
                let right = (town.0 + away, town.1);
                let left = (town.0 - away, town.1);
                let seaward =
                    self.relief.at(right.0, right.1).value < self.relief.at(left.0, left.1).value;
                let middle = if seaward { right } else { left };
                let bounds = around(middle, length + 3.0, 7.0);
                if self.free(&bounds) {
                    self.take(bounds);
                    self.take(around(town, 7.0, 7.0));
                    self.found.towns.push(town);
                    self.write(Ink::Bold, style, &name, middle);
                }
            }
        }
    }

    /// The figures of the frame.
    fn degrees(&mut self) {
        let style = Style::upright(4.4);
        let first = 10 + (self.roll() * 40.0) as i32;
        for index in 0..14 {
            let x = 100.0 + 100.0 * index as f32;
            let text = format!("{}°", first + index);
            self.write(Ink::Bold, style, &text, (x, 27.0));
            self.write(Ink::Bold, style, &text, (x, SHEET.1 - 27.0));
        }
        for index in 0..9 {
            let y = 100.0 + 100.0 * index as f32;
            let text = format!("{}°", first + 20 - index);
            self.write(Ink::Bold, style, &text, (26.0, y));
            self.write(Ink::Bold, style, &text, (SHEET.0 - 26.0, y));
        }
    }
}
