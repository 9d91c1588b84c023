//! Everything of a chart that is drawn with a pen: the marks that appear on
//! zooming, the compass, the frame and the lettering.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "coordinates on the sheet are small"
)]

use std::f32::consts::TAU;

use super::lettering::Style;
use super::noise::{Octave, Relief, dice, floor, hash, smooth};
use super::pen::{Ink, Pen, Point, Stroke};
use super::picture::{LIGHT, Ridges, Sheet};
use super::plan::{FIELD, Plan, SHEET, around, inside};

impl Sheet<'_> {
    /// Draws all that the band may show.
    pub fn mark(&self, pen: &mut Pen) {
        self.small_marks(pen);
        self.compass(pen);
        self.cartouche(pen);
        self.frame(pen);
        self.lettering(pen);
    }

    /// Calls `mark` for every cell of a grid of `edge` that the band may show,
    /// with a point of the cell that is the same in every view.
    fn cells(&self, salt: u32, edge: f32, mut mark: impl FnMut(i32, i32, Point)) {
        let seed = hash(self.picture.seed, 900, 0) ^ salt;
        let bounds = self.view.bounds(edge * 1.5);
        let low = (bounds[0].max(FIELD[0]), bounds[1].max(FIELD[1]));
        let high = (bounds[2].min(FIELD[2]), bounds[3].min(FIELD[3]));
        for row in floor(low.1 / edge)..=floor(high.1 / edge) {
            for column in floor(low.0 / edge)..=floor(high.0 / edge) {
                let x = (column as f32 + 0.15 + 0.7 * dice(seed, column, row)) * edge;
                let y = (row as f32 + 0.15 + 0.7 * dice(seed ^ 0x55, column, row)) * edge;
                if inside(&FIELD, x, y) && !inside(&self.furniture.cartouche, x, y) {
                    mark(column, row, (x, y));
                }
            }
        }
    }

    fn is_free(&self, point: Point) -> bool {
        !self.furniture.taken.iter().any(|taken| inside(taken, point.0, point.1))
    }

    fn small_marks(&self, pen: &mut Pen) {
        let pixel = self.view.pixel();
        self.hachures(pen, smooth(0.72, 0.4, pixel));
        self.trees(pen, smooth(0.55, 0.3, pixel));
        self.soundings(pen, smooth(0.62, 0.4, pixel));
        self.reefs(pen, smooth(0.5, 0.25, pixel));
        self.graticule(pen);
    }

    /// Short strokes down the slopes, as engravers showed mountains.
    fn hachures(&self, pen: &mut Pen, strength: f32) {
        if strength <= 0.0 {
            return;
        }
        // Strokes follow the larger slopes, so that neighbours agree.
        let mut relief = Relief::new(self.picture.seed, SHEET, 9.0);
        let mut ridges = Ridges::new(self.picture.seed, 4.0);
        self.cells(1, 1.9, |column, row, (x, y)| {
            let ground = relief.at(x, y);
            if ground.value < 0.05 {
                return;
            }
            let slope = ridges.at(ground, x, y);
            let steep = slope.steepness();
            let relief = smooth(0.0025, 0.013, steep) * smooth(0.04, 0.14, ground.value);
            if relief <= 0.02 {
                return;
            }
            let (dx, dy) = (slope.dx / steep, slope.dy / steep);
            // The side away from the light is drawn heavier.
            let dark = 0.5 + 0.5 * (dx * LIGHT.0 + dy * LIGHT.1);
            let length = 0.8 + 0.9 * dice(self.picture.seed, column, row);
            pen.stroke(
                Ink::Fine,
                Stroke {
                    from: (x - dx * length, y - dy * length),
                    to: (x + dx * length, y + dy * length),
                    radius: 0.04 + 0.17 * relief * (0.2 + 0.8 * dark),
                },
                strength * (0.3 + 0.55 * relief),
            );
        });
    }

    fn trees(&self, pen: &mut Pen, strength: f32) {
        if strength <= 0.0 {
            return;
        }
        let mut relief = Relief::new(self.picture.seed, SHEET, 1.0);
        let mut forest = Octave::new(hash(self.picture.seed, 6, 0), 60.0);
        self.cells(2, 4.4, |column, row, (x, y)| {
            let ground = relief.at(x, y);
            let wooded = forest.at(x, y).value > 0.08;
            if !wooded || ground.value < 0.02 || ground.value > 0.2 || !self.is_free((x, y)) {
                return;
            }
            let size = 0.8 + 0.5 * dice(self.picture.seed ^ 9, column, row);
            let crown = |angle: f32, far: f32| {
                let (sin, cos) = angle.sin_cos();
                (x + far * size * cos, y - (1.3 + far * sin) * size)
            };
            let mut from = crown(0.0, 0.85);
            for step in 1..=12 {
                let scallop = if step % 2 == 0 { 0.85 } else { 1.05 };
                let to = crown(step as f32 / 12.0 * TAU, scallop);
                let radius = if from.0 > x { 0.13 } else { 0.07 };
                pen.stroke(Ink::Fine, Stroke { from, to, radius }, strength);
                from = to;
            }
            let (foot, head) = ((x, y + 0.6 * size), (x, y - 0.5 * size));
            pen.stroke(Ink::Fine, Stroke { from: foot, to: head, radius: 0.11 }, strength);
            for (from, to) in [(-0.9, 0.3), (-0.5, 0.75), (-0.1, 0.95)] {
                let stroke = Stroke { from: crown(from, 0.75), to: crown(to, 0.6), radius: 0.06 };
                pen.stroke(Ink::Fine, stroke, strength);
            }
            let shadow = Stroke {
                from: (x - 0.3, y + 0.6 * size),
                to: (x + 1.5 * size, y + 0.6 * size),
                radius: 0.06,
            };
            pen.stroke(Ink::Fine, shadow, strength * 0.8);
        });
    }

    fn soundings(&self, pen: &mut Pen, strength: f32) {
        if strength <= 0.0 {
            return;
        }
        let mut relief = Relief::new(self.picture.seed, SHEET, 1.0);
        self.cells(3, 13.0, |_, _, (x, y)| {
            let depth = -relief.at(x, y).value;
            if depth < 0.045 || !self.is_free((x, y)) {
                return;
            }
            let figure = format!("{}", 1 + (depth * 190.0) as u32);
            for stroke in Style::slanted(1.9).spaced(0.22).set(&figure, (x, y)) {
                pen.stroke(Ink::Fine, stroke, strength);
            }
        });
        self.cells(4, 36.0, |_, _, (x, y)| {
            let height = relief.at(x, y).value;
            if height < 0.3 || !self.is_free((x, y)) {
                return;
            }
            let corners = [(x, y - 1.5), (x + 1.4, y + 1.0), (x - 1.4, y + 1.0)];
            pen.fill(Ink::Accent, &corners, strength);
            let figure = format!("{}", (height * 9400.0) as u32);
            for stroke in Style::upright(1.7).spaced(0.25).set(&figure, (x, y + 3.4)) {
                let halo = Stroke { radius: stroke.radius + 0.4, ..stroke };
                pen.stroke(Ink::Blank, halo, strength);
                pen.stroke(Ink::Bold, stroke, strength);
            }
        });
    }

    /// Little crosses where the water is shallow.
    fn reefs(&self, pen: &mut Pen, strength: f32) {
        if strength <= 0.0 {
            return;
        }
        let mut relief = Relief::new(self.picture.seed, SHEET, 1.0);
        self.cells(5, 6.0, |column, row, (x, y)| {
            let depth = -relief.at(x, y).value;
            let here = dice(self.picture.seed ^ 0x15, column, row);
            if !(0.012..0.05).contains(&depth) || here > 0.3 || !self.is_free((x, y)) {
                return;
            }
            for (dx, dy) in [(0.55, 0.0), (0.0, 0.55)] {
                let stroke = Stroke { from: (x - dx, y - dy), to: (x + dx, y + dy), radius: 0.08 };
                pen.stroke(Ink::Fine, stroke, strength);
            }
        });
    }

    fn graticule(&self, pen: &mut Pen) {
        let pixel = self.view.pixel();
        let fine = smooth(0.7, 0.3, pixel);
        for (edge, radius, strength) in [(100.0, 0.22, 0.75), (10.0, 0.05, 0.6 * fine)] {
            if strength <= 0.0 {
                continue;
            }
            for index in 0..=floor(SHEET.0 / edge) {
                let at = index as f32 * edge;
                if at > FIELD[0] && at < FIELD[2] {
                    let stroke = Stroke { from: (at, FIELD[1]), to: (at, FIELD[3]), radius };
                    pen.stroke(Ink::Sea, stroke, strength);
                }
                if at > FIELD[1] && at < FIELD[3] {
                    let stroke = Stroke { from: (FIELD[0], at), to: (FIELD[2], at), radius };
                    pen.stroke(Ink::Sea, stroke, strength);
                }
            }
        }
    }

    /// The compass rose, and the rhumb lines that leave it.
    fn compass(&self, pen: &mut Pen) {
        let rose = self.furniture.rose;
        for index in 0..32 {
            let (sin, cos) = (index as f32 / 32.0 * TAU).sin_cos();
            let reach = |from: f32, step: f32, low: f32, high: f32| {
                if step.abs() < 1e-4 {
                    f32::MAX
                } else {
                    (if step > 0.0 { high - from } else { low - from }) / step
                }
            };
            let far =
                reach(rose.0, cos, FIELD[0], FIELD[2]).min(reach(rose.1, sin, FIELD[1], FIELD[3]));
            let radius = if index % 4 == 0 { 0.28 } else { 0.16 };
            let stroke = Stroke {
                from: (rose.0 + 76.0 * cos, rose.1 + 76.0 * sin),
                to: (rose.0 + far * cos, rose.1 + far * sin),
                radius,
            };
            pen.stroke(Ink::Sea, stroke, 0.9);
        }
        let own = Plan::ROSE;
        if !self.view.meets([rose.0 - own, rose.1 - own, rose.0 + own, rose.1 + own]) {
            return;
        }
        for (radius, thick) in [(74.0, 0.35), (72.0, 0.15), (66.0, 0.15), (22.0, 0.2), (6.0, 0.3)] {
            let mut from = (rose.0 + radius, rose.1);
            for step in 1..=96 {
                let (sin, cos) = (step as f32 / 96.0 * TAU).sin_cos();
                let to = (rose.0 + radius * cos, rose.1 + radius * sin);
                pen.stroke(Ink::Bold, Stroke { from, to, radius: thick }, 1.0);
                from = to;
            }
        }
        for degree in 0..360 {
            let (sin, cos) = (degree as f32 / 360.0 * TAU).sin_cos();
            let inner = if degree % 10 == 0 {
                66.0
            } else if degree % 5 == 0 {
                69.0
            } else {
                70.5
            };
            let stroke = Stroke {
                from: (rose.0 + inner * cos, rose.1 + inner * sin),
                to: (rose.0 + 72.0 * cos, rose.1 + 72.0 * sin),
                radius: 0.1,
            };
            pen.stroke(Ink::Bold, stroke, 1.0);
        }
        // Four rings of rays, the longest on top.
        for (count, phase, long, wide) in
            [(16, 0.5, 40.0, 8.0), (8, 0.5, 50.0, 9.0), (4, 0.5, 56.0, 11.0), (4, 0.0, 65.0, 11.0)]
        {
            for ray in 0..count {
                let angle = (ray as f32 + phase) / count as f32 * TAU;
                let at = |turn: f32, far: f32| {
                    let (sin, cos) = (angle + turn).sin_cos();
                    (rose.0 + far * cos, rose.1 + far * sin)
                };
                let spread = TAU / 2.0 / count.max(8) as f32;
                let (tip, left, right) = (at(0.0, long), at(-spread, wide), at(spread, wide));
                pen.fill(Ink::Blank, &[rose, left, tip], 1.0);
                let ink = if phase == 0.0 { Ink::Accent } else { Ink::Bold };
                pen.fill(ink, &[rose, tip, right], if count > 4 { 0.55 } else { 1.0 });
                for (from, to) in [(rose, tip), (tip, left), (left, rose), (tip, right)] {
                    pen.stroke(Ink::Bold, Stroke { from, to, radius: 0.14 }, 1.0);
                }
            }
        }
    }

    fn cartouche(&self, pen: &mut Pen) {
        let bounds = self.furniture.cartouche;
        if !self.view.meets(bounds) {
            return;
        }
        let [left, top, right, bottom] = bounds;
        pen.fill(Ink::Blank, &[(left, top), (right, top), (right, bottom), (left, bottom)], 1.3);
        for (inset, radius) in [(0.0, 0.9), (4.0, 0.3), (5.5, 0.15)] {
            outline(pen, [left + inset, top + inset, right - inset, bottom - inset], radius);
        }
        let (x, y) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
        // The scale of miles.
        let (from, to) = ((x - 100.0, y + 55.0), (x + 100.0, y + 60.0));
        outline(pen, [from.0, from.1, to.0, to.1], 0.2);
        for index in 0..8 {
            let at = from.0 + 25.0 * index as f32;
            let (top, bottom) =
                if index % 2 == 0 { (from.1, from.1 + 2.5) } else { (from.1 + 2.5, to.1) };
            let end = at + 25.0;
            pen.fill(Ink::Bold, &[(at, top), (end, top), (end, bottom), (at, bottom)], 1.0);
        }
        // A flourish under the title, two waves that cross.
        for phase in [0.0, TAU / 2.0] {
            let mut from = (x - 60.0, y + 9.0 + 2.2 * phase.sin());
            for step in 1..=60 {
                let share = step as f32 / 60.0;
                let swing = (TAU / 2.0 * share).sin() * 2.6;
                let to =
                    (x - 60.0 + 120.0 * share, y + 9.0 + swing * (share * TAU * 3.0 + phase).sin());
                pen.stroke(Ink::Accent, Stroke { from, to, radius: 0.25 }, 1.0);
                from = to;
            }
        }
    }

    fn frame(&self, pen: &mut Pen) {
        let [left, top, right, bottom] = FIELD;
        for (out, radius) in [(0.0, 0.35), (4.0, 0.2), (8.0, 0.35), (12.5, 1.3), (34.0, 0.15)] {
            outline(pen, [left - out, top - out, right + out, bottom + out], radius);
        }
        // A ladder of ten minutes each, and ticks for every minute.
        for index in 0..150 {
            let at = index as f32 * 10.0;
            let (outer, inner) = if index % 2 == 0 { (8.0, 4.0) } else { (4.0, 0.0) };
            if at >= left && at + 10.0 <= right {
                for (from, to) in [(top - outer, top - inner), (bottom + inner, bottom + outer)] {
                    let end = at + 10.0;
                    pen.fill(Ink::Bold, &[(at, from), (end, from), (end, to), (at, to)], 1.0);
                }
            }
            if at >= top && at + 10.0 <= bottom {
                for (from, to) in [(left - outer, left - inner), (right + inner, right + outer)] {
                    let end = at + 10.0;
                    pen.fill(Ink::Bold, &[(from, at), (to, at), (to, end), (from, end)], 1.0);
                }
            }
        }
        let fine = smooth(0.7, 0.3, self.view.pixel());
        for index in 0..1500 {
            let at = index as f32;
            let long = if index % 5 == 0 { 1.6 } else { 0.9 };
            let mut tick = |from: Point, to: Point| {
                pen.stroke(Ink::Bold, Stroke { from, to, radius: 0.07 }, fine);
            };
            if at > left && at < right {
                tick((at, top), (at, top + long));
                tick((at, bottom), (at, bottom - long));
            }
            if at > top && at < bottom {
                tick((left, at), (left + long, at));
                tick((right, at), (right - long, at));
            }
        }
    }

    fn lettering(&self, pen: &mut Pen) {
        let pixel = self.view.pixel();
        for town in &self.furniture.towns {
            if self.view.meets(around(*town, 6.0, 6.0)) {
                let seen = smooth(2.0, 1.0, pixel);
                let dot = |radius| Stroke { from: *town, to: *town, radius };
                pen.stroke(Ink::Bold, dot(1.7), seen);
                pen.stroke(Ink::Accent, dot(1.1), seen);
                let (x, y) = *town;
                let spire = Stroke { from: (x, y - 1.5), to: (x, y - 4.2), radius: 0.2 };
                pen.stroke(Ink::Bold, spire, seen);
                let arm = Stroke { from: (x - 0.8, y - 3.4), to: (x + 0.8, y - 3.4), radius: 0.16 };
                pen.stroke(Ink::Bold, arm, seen);
            }
        }
        for label in &self.furniture.labels {
            let seen = smooth(3.6, 5.6, label.height / pixel);
            if seen <= 0.0 || !self.view.meets(label.bounds) {
                continue;
            }
            for stroke in &label.strokes {
                let halo =
                    Stroke { radius: stroke.radius + (0.16 * label.height).min(1.1), ..*stroke };
                pen.stroke(Ink::Blank, halo, 0.9 * seen);
                pen.stroke(label.ink, *stroke, seen);
            }
        }
    }
}

fn outline(pen: &mut Pen, [left, top, right, bottom]: [f32; 4], radius: f32) {
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    for (index, from) in corners.into_iter().enumerate() {
        pen.stroke(Ink::Bold, Stroke { from, to: corners[(index + 1) % 4], radius }, 1.0);
    }
}
