//! Gradient noise with its slope, and the relief that is made of it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::many_single_char_names,
    reason = "coordinates are small, and hashes mean to lose bits"
)]

/// A value and how it changes along x and y.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slope {
    pub value: f32,
    pub dx: f32,
    pub dy: f32,
}

impl Slope {
    #[inline]
    pub fn steepness(self) -> f32 {
        (self.dx * self.dx + self.dy * self.dy).sqrt()
    }
}

/// The same three numbers always give the same one, from 0 to 1.
#[inline]
pub fn dice(seed: u32, x: i32, y: i32) -> f32 {
    (hash(seed, x, y) >> 8) as f32 / 16_777_216.0
}

#[inline]
pub fn hash(seed: u32, x: i32, y: i32) -> u32 {
    let mut bits = (x as u32).wrapping_mul(0x9e37_79b1)
        ^ (y as u32).wrapping_mul(0x85eb_ca77)
        ^ seed.wrapping_mul(0xc2b2_ae3d);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2c1b_3c6d);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297a_2d39);
    bits ^ (bits >> 15)
}

/// `x.floor()` without a library call on targets that lack the instruction.
#[inline]
pub fn floor(x: f32) -> i32 {
    let cut = x as i32;
    if (cut as f32) > x { cut - 1 } else { cut }
}

/// 0 below `from`, 1 above `to`, smooth between.
#[inline]
pub fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// One noise field of one wavelength, turned by an angle of its own so that
/// the lattices of several do not line up. It remembers the lattice cell it
/// was last asked for: neighbouring pixels mostly share it.
#[derive(Debug, Clone)]
pub struct Octave {
    seed: u32,
    pub wavelength: f32,
    cos: f32,
    sin: f32,
    cell: (i32, i32),
    corners: [(f32, f32); 4],
}

impl Octave {
    pub fn new(seed: u32, wavelength: f32) -> Self {
        let angle = dice(seed, 7, 7) * std::f32::consts::TAU;
        let mut octave = Self {
            seed,
            wavelength,
            cos: angle.cos() / wavelength,
            sin: angle.sin() / wavelength,
            cell: (0, 0),
            corners: [(0.0, 0.0); 4],
        };
        octave.enter(0, 0);
        octave
    }

    fn enter(&mut self, x: i32, y: i32) {
        // Slopes that are not all as steep look as good as circular ones, and
        // need no sine: fine octaves enter a cell every few pixels.
        let corner = |x: i32, y: i32| {
            let bits = hash(self.seed, x, y);
            let part = |bits: u32| (bits & 0xffff) as f32 * (2.4 / 65536.0) - 1.2;
            (part(bits), part(bits >> 16))
        };
        self.corners = [corner(x, y), corner(x + 1, y), corner(x, y + 1), corner(x + 1, y + 1)];
        self.cell = (x, y);
    }

    #[inline]
    fn add(&mut self, amplitude: f32, x: f32, y: f32, sum: &mut Slope) {
        let part = self.at(x, y);
        sum.value += amplitude * part.value;
        sum.dx += amplitude * part.dx;
        sum.dy += amplitude * part.dy;
    }

    /// From about -0.7 to 0.7.
    pub fn at(&mut self, x: f32, y: f32) -> Slope {
        let u = self.cos * x - self.sin * y;
        let v = self.sin * x + self.cos * y;
        let (column, row) = (floor(u), floor(v));
        if self.cell != (column, row) {
            self.enter(column, row);
        }
        let (u, v) = (u - column as f32, v - row as f32);
        let [a, b, c, d] = self.corners;
        let va = a.0 * u + a.1 * v;
        let vb = b.0 * (u - 1.0) + b.1 * v;
        let vc = c.0 * u + c.1 * (v - 1.0);
        let vd = d.0 * (u - 1.0) + d.1 * (v - 1.0);
        let fu = u * u * u * (u * (u * 6.0 - 15.0) + 10.0);
        let fv = v * v * v * (v * (v * 6.0 - 15.0) + 10.0);
        let du = 30.0 * u * u * (u - 1.0) * (u - 1.0);
        let dv = 30.0 * v * v * (v - 1.0) * (v - 1.0);
        // The mean of the corners' gradients, and how the mean itself moves.
        let (wa, wb) = ((1.0 - fu) * (1.0 - fv), fu * (1.0 - fv));
        let (wc, wd) = ((1.0 - fu) * fv, fu * fv);
        let twist = va - vb - vc + vd;
        let along_u = wa * a.0 + wb * b.0 + wc * c.0 + wd * d.0 + du * (vb - va + fv * twist);
        let along_v = wa * a.1 + wb * b.1 + wc * c.1 + wd * d.1 + dv * (vc - va + fu * twist);
        Slope {
            value: wa * va + wb * vb + wc * vc + wd * vd,
            dx: self.cos * along_u + self.sin * along_v,
            dy: self.cos * along_v - self.sin * along_u,
        }
    }
}

/// Adds octaves, each times its amplitude, to the points of a row that starts
/// at `start`. Octaves that are long in pixels are computed at every fourth
/// point and interpolated, which takes most of the time out of drawing.
pub fn add_row(octaves: &mut [(Octave, f32)], start: (f32, f32), step: f32, row: &mut [Slope]) {
    const GAP: usize = 4;
    // Cubics through both values with both slopes (Hermite), at the quarters.
    const CUBIC: [(f32, f32); GAP] =
        [(1.0, 0.0), (0.843_75, 0.140_625), (0.5, 0.125), (0.156_25, 0.046_875)];
    let gap = GAP as f32 * step;
    let mut knots = vec![Slope::default(); row.len() / GAP + 2];
    for (octave, amplitude) in octaves {
        let (points, apart) =
            if octave.wavelength < 8.0 * gap { (&mut *row, step) } else { (&mut *knots, gap) };
        for (index, point) in points.iter_mut().enumerate() {
            octave.add(*amplitude, start.0 + index as f32 * apart, start.1, point);
        }
    }
    let mirrored = [0.0, CUBIC[3].1, CUBIC[2].1, CUBIC[1].1];
    for (points, ends) in row.chunks_mut(GAP).zip(knots.windows(2)) {
        let (from, to) = (ends[0], ends[1]);
        let ((dx, dy), mut t) = ((to.dx - from.dx, to.dy - from.dy), 0.0);
        for ((point, (near, rise)), fall) in points.iter_mut().zip(CUBIC).zip(mirrored) {
            point.value +=
                to.value + near * (from.value - to.value) + gap * (rise * from.dx - fall * to.dx);
            point.dx += from.dx + t * dx;
            point.dy += from.dy + t * dy;
            t += 1.0 / GAP as f32;
        }
    }
}

/// The height of an invented archipelago at each point of a sheet: above 0 is
/// land. Octaves finer than a pixel fade out, so the coast does not flicker
/// when it is drawn small.
#[derive(Debug, Clone)]
pub struct Relief {
    sheet: (f32, f32),
    octaves: Vec<(Octave, f32)>,
}

impl Relief {
    const OCTAVES: i32 = 9;

    pub fn new(seed: u32, sheet: (f32, f32), pixel: f32) -> Self {
        let octaves = (0..Self::OCTAVES)
            .map(|index| {
                let wavelength = 330.0 * 0.5_f32.powi(index);
                let visible = smooth(1.5, 3.5, wavelength / pixel);
                let octave = Octave::new(hash(seed, index, 11), wavelength);
                (octave, 0.55_f32.powi(index) * visible)
            })
            .filter(|(_, amplitude)| *amplitude > 0.0)
            .collect();
        Self { sheet, octaves }
    }

    pub fn at(&mut self, x: f32, y: f32) -> Slope {
        let mut sum = self.basin(x, y);
        for (octave, amplitude) in &mut self.octaves {
            octave.add(*amplitude, x, y, &mut sum);
        }
        sum
    }

    /// The points of a row, `step` apart.
    pub fn row(&mut self, start: (f32, f32), step: f32, row: &mut [Slope]) {
        for (index, point) in row.iter_mut().enumerate() {
            *point = self.basin(start.0 + index as f32 * step, start.1);
        }
        add_row(&mut self.octaves, start, step, row);
    }

    /// The sheet's edge lies in the sea.
    fn basin(&self, x: f32, y: f32) -> Slope {
        let (cx, cy) = (self.sheet.0 / 2.0, self.sheet.1 / 2.0);
        let (u, v) = ((x - cx) / cx, (y - cy) / cy);
        let (u3, v3) = (u * u * u, v * v * v);
        Slope {
            value: -0.03 - 0.32 * (u3 * u + v3 * v),
            dx: -0.32 * 4.0 * u3 / cx,
            dy: -0.32 * 4.0 * v3 / cy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_the_slope_of_the_value() {
        let mut relief = Relief::new(5, (1500.0, 1000.0), 0.05);
        for (x, y) in [(301.3, 207.7), (750.1, 499.2), (1204.9, 811.4)] {
            let step = 0.02;
            let here = relief.at(x, y);
            let right =
                (relief.at(x + step, y).value - relief.at(x - step, y).value) / (2.0 * step);
            let down = (relief.at(x, y + step).value - relief.at(x, y - step).value) / (2.0 * step);
            assert!((here.dx - right).abs() < 2e-3, "dx at {x},{y}: {} and {right}", here.dx);
            assert!((here.dy - down).abs() < 2e-3, "dy at {x},{y}: {} and {down}", here.dy);
        }
    }

    #[test]
    fn a_row_is_its_points() {
        let step = 0.16;
        let mut relief = Relief::new(5, (1500.0, 1000.0), step);
        let mut row = [Slope::default(); 301];
        relief.row((620.0, 410.0), step, &mut row);
        for (index, point) in row.iter().enumerate() {
            let exact = relief.at(620.0 + index as f32 * step, 410.0);
            assert!((point.value - exact.value).abs() < 2e-4, "at {index}");
            assert!((point.dx - exact.dx).abs() < 1e-3, "dx at {index}");
            assert!((point.dy - exact.dy).abs() < 1e-3, "dy at {index}");
        }
    }

    #[test]
    fn floors() {
        for (x, expected) in [(0.0, 0), (0.9, 0), (-0.1, -1), (-1.0, -1), (7.0, 7)] {
            assert_eq!(floor(x), expected, "{x}");
        }
    }
}
