//! An engraver's alphabet: capitals and figures as strokes, thick and thin as
//! a broad pen makes them, with serifs.
#![allow(clippy::cast_precision_loss, reason = "small counts")]

use std::sync::OnceLock;

use super::pen::{Point, Stroke};

/// Each letter is a list of strokes, each stroke a list of points of two
/// figures: x from 0 to 6, y from 0 (top) to 8 (foot) and 9 (below). A `~`
/// draws a curve through the points instead of straight lines.
const LETTERS: &[(char, &str)] = &[
    ('A', "083068 1555"),
    ('B', "0008 ~0030523404 ~3465665808"),
    ('C', "~6140200206284867"),
    ('D', "0008 ~003062663808"),
    ('E', "60000868 0444"),
    ('F', "600008 0444"),
    ('G', "~61402002062848 ~284866 6534"),
    ('H', "0008 6068 0464"),
    ('I', "0008"),
    ('J', "3035 ~35372807"),
    ('K', "0008 6004 1468"),
    ('L', "000858"),
    ('M', "080035 356068"),
    ('N', "080068 6860"),
    ('O', "~301104173857645130"),
    ('P', "0008 ~0030523404"),
    ('Q', "~301104173857645130 3669"),
    ('R', "0008 ~0030523404 2468"),
    ('S', "~5130111334555738280706"),
    ('T', "010060 6061 3038"),
    ('U', "0005 ~0517385765 6560"),
    ('V', "003860"),
    ('W', "001832 325860"),
    ('X', "0068 6008"),
    ('Y', "0034 6034 3438"),
    ('Z', "01006008 086867"),
    ('0', "~301104173857645130"),
    ('1', "021018"),
    ('2', "~02113041432708 0858"),
    ('3', "~013052533424 ~345566482807"),
    ('4', "48400666"),
    ('5', "500004 ~0433556638280706"),
    ('6', "~50210517384856442415"),
    ('7', "005028"),
    ('8', "~34122030415234 ~34060728486634"),
    ('9', "~18476351301224445163"),
    ('.', "0808"),
    ('-', "1444"),
    ('\'', "0002"),
    (',', "0809"),
    ('°', "~1001122110"),
];

struct Letter {
    strokes: Vec<Vec<Point>>,
    width: f32,
}

/// The alphabet with its curves drawn out, in units of the capitals' height.
fn letter(wanted: char) -> Option<&'static Letter> {
    static ALPHABET: OnceLock<Vec<(char, Letter)>> = OnceLock::new();
    let alphabet =
        ALPHABET.get_or_init(|| LETTERS.iter().map(|(name, text)| (*name, read(text))).collect());
    alphabet.iter().find(|(name, _)| *name == wanted).map(|(_, letter)| letter)
}

fn read(text: &str) -> Letter {
    let mut strokes = Vec::new();
    let mut width = 0.0_f32;
    for part in text.split(' ') {
        let (curved, figures) = match part.strip_prefix('~') {
            Some(rest) => (true, rest),
            None => (false, part),
        };
        let points: Vec<Point> = figures
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| (f32::from(pair[0] - b'0') / 9.0, f32::from(pair[1] - b'0') / 8.0))
            .collect();
        width = points.iter().fold(width, |width, point| width.max(point.0));
        strokes.push(if curved { curve(&points) } else { points });
    }
    // Serifs stand on the straight upright ends at the head and the foot.
    for (index, part) in text.split(' ').enumerate() {
        let stroke = &strokes[index];
        if part.starts_with('~') || part.len() < 4 || part.len() == 4 && part[..2] == part[2..] {
            continue;
        }
        let ends = [(stroke[0], stroke[1]), (stroke[stroke.len() - 1], stroke[stroke.len() - 2])];
        for (end, before) in ends {
            let upright = (before.1 - end.1).abs() > (before.0 - end.0).abs();
            if upright && (end.1 < 0.01 || (end.1 - 1.0).abs() < 0.01) && text.len() > 3 {
                let whole = (before.1 - end.1).abs() > 0.3;
                if whole {
                    strokes.push(vec![(end.0 - 0.1, end.1), (end.0 + 0.1, end.1)]);
                }
            }
        }
    }
    Letter { strokes, width }
}

/// A curve through all points (Catmull-Rom).
fn curve(points: &[Point]) -> Vec<Point> {
    const PIECES: usize = 6;
    let closed = points.first() == points.last();
    let last = points.len() - 1;
    let at = |index: usize, back: bool| match (index, back) {
        (0, true) => points[if closed { last - 1 } else { 0 }],
        (index, true) => points[index - 1],
        (index, false) if index > last => points[if closed { 1 } else { last }],
        (index, false) => points[index],
    };
    let mut drawn = vec![points[0]];
    for index in 0..last {
        let (before, from) = (at(index, true), points[index]);
        let (to, after) = (points[index + 1], at(index + 2, false));
        for piece in 1..=PIECES {
            let t = piece as f32 / PIECES as f32;
            let axis = |p: f32, a: f32, b: f32, n: f32| {
                0.5 * (2.0 * a
                    + (b - p) * t
                    + (2.0 * p - 5.0 * a + 4.0 * b - n) * t * t
                    + (3.0 * a - p - 3.0 * b + n) * t * t * t)
            };
            drawn.push((
                axis(before.0, from.0, to.0, after.0),
                axis(before.1, from.1, to.1, after.1),
            ));
        }
    }
    drawn
}

/// How a line of text is set.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Height of the capitals, in sheet units.
    pub height: f32,
    /// Space between letters, as a share of the height.
    pub spacing: f32,
    /// How far the letters lean to the right.
    pub slant: f32,
    /// The whole angle the line turns through, for names set on an arc.
    pub bend: f32,
    /// Half the thickness of a thick stroke, as a share of the height.
    pub weight: f32,
}

impl Style {
    pub fn upright(height: f32) -> Self {
        Self { height, spacing: 0.34, slant: 0.0, bend: 0.0, weight: 0.065 }
    }

    pub fn slanted(height: f32) -> Self {
        Self { slant: 0.28, ..Self::upright(height) }
    }

    pub fn spaced(self, spacing: f32) -> Self {
        Self { spacing, ..self }
    }

    pub fn bent(self, bend: f32) -> Self {
        Self { bend, ..self }
    }

    pub fn bold(self) -> Self {
        Self { weight: 0.085, ..self }
    }

    /// How long a line of text becomes.
    pub fn length(&self, text: &str) -> f32 {
        let gaps = text.chars().count().saturating_sub(1) as f32 * self.spacing;
        let letters: f32 = text.chars().map(|c| letter(c).map_or(0.4, |l| l.width)).sum();
        (gaps + letters) * self.height
    }

    /// The strokes of a line of text around the middle of its letters.
    pub fn set(&self, text: &str, middle: Point) -> Vec<Stroke> {
        let length = self.length(text);
        let mut strokes = Vec::new();
        let mut along = -length / 2.0;
        for name in text.chars() {
            let Some(letter) = letter(name) else {
                along += (0.4 + self.spacing) * self.height;
                continue;
            };
            let width = letter.width * self.height;
            // On an arc each letter stands upright on the curve.
            let (origin, angle) = self.station(along + width / 2.0, length);
            let (sin, cos) = angle.sin_cos();
            for points in &letter.strokes {
                for pair in points.windows(2) {
                    let place = |point: Point| {
                        let up = 0.5 - point.1;
                        let x = (point.0 - letter.width / 2.0 + up * self.slant) * self.height;
                        let y = -up * self.height;
                        (
                            middle.0 + origin.0 + x * cos - y * sin,
                            middle.1 + origin.1 + x * sin + y * cos,
                        )
                    };
                    let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
                    let length = (dx * dx + dy * dy).sqrt();
                    // A pen held nearly level: uprights thick, level strokes thin.
                    let broad = if length > 0.0 {
                        (dy / length * 0.97 + dx / length * 0.26).abs()
                    } else {
                        1.0
                    };
                    strokes.push(Stroke {
                        from: place(pair[0]),
                        to: place(pair[1]),
                        radius: self.height * self.weight * (0.35 + 0.65 * broad),
                    });
                }
            }
            along += width + self.spacing * self.height;
        }
        strokes
    }

    fn station(&self, along: f32, length: f32) -> (Point, f32) {
        if self.bend.abs() < 0.001 || length <= 0.0 {
            return ((along, 0.0), 0.0);
        }
        let angle = self.bend * along / length;
        let radius = length / self.bend;
        ((radius * angle.sin(), radius * (1.0 - angle.cos())), angle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_well_formed() {
        for (name, text) in LETTERS {
            for part in text.split(' ') {
                let figures = part.trim_start_matches('~');
                assert!(figures.len() >= 4 && figures.len() % 2 == 0, "{name}: {part}");
                assert!(figures.bytes().all(|byte| byte.is_ascii_digit()), "{name}: {part}");
            }
        }
        assert!(('A'..='Z').chain('0'..='9').all(|name| letter(name).is_some()));
    }

    #[test]
    fn text_is_set_around_its_middle() {
        let style = Style::upright(10.0);
        let strokes = style.set("HOH", (100.0, 50.0));
        let left = strokes.iter().fold(f32::MAX, |least, stroke| least.min(stroke.from.0));
        let right = strokes.iter().fold(f32::MIN, |most, stroke| most.max(stroke.to.0));
        assert!((f32::midpoint(left, right) - 100.0).abs() < 1.0, "{left} to {right}");
        assert!((right - left - style.length("HOH")).abs() < 4.0, "{left} to {right}");
    }
}
