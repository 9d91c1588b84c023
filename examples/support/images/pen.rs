//! A pen: strokes and small filled shapes, drawn anti-aliased into one mask
//! per ink. Masks keep the stronger of two marks, so overlapping strokes of
//! one ink do not darken each other.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "pixel coordinates, clamped to the mask before they are cast"
)]

pub type Point = (f32, f32);

/// Inks in the order in which they are laid over the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Thin lines that belong to the sea and stop at the coast.
    Sea,
    /// Fine black marks.
    Fine,
    /// Paper left blank around lettering.
    Blank,
    /// Lettering and frames.
    Bold,
    /// The second colour.
    Accent,
}

pub const INKS: usize = 5;

/// A stroke in sheet units.
#[derive(Debug, Clone, Copy)]
pub struct Stroke {
    pub from: Point,
    pub to: Point,
    pub radius: f32,
}

/// Where a band of pixels lies on the sheet.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The sheet point at the upper left corner of the first pixel.
    pub left: f32,
    pub top: f32,
    /// Sheet units per pixel.
    pub step: Point,
    pub width: usize,
    pub height: usize,
}

impl View {
    /// The size of a pixel in sheet units, whatever its shape.
    pub fn pixel(&self) -> f32 {
        (self.step.0 * self.step.1).sqrt()
    }

    /// Left, top, right and bottom in sheet units, widened by `margin`.
    pub fn bounds(&self, margin: f32) -> [f32; 4] {
        [
            self.left - margin,
            self.top - margin,
            self.left + self.step.0 * self.width as f32 + margin,
            self.top + self.step.1 * self.height as f32 + margin,
        ]
    }

    pub fn meets(&self, bounds: [f32; 4]) -> bool {
        let own = self.bounds(2.0 * self.pixel());
        bounds[0] < own[2] && bounds[2] > own[0] && bounds[1] < own[3] && bounds[3] > own[1]
    }
}

#[derive(Debug)]
pub struct Pen {
    view: View,
    masks: [Vec<u8>; INKS],
}

impl Pen {
    pub fn new(view: View) -> Self {
        Self { view, masks: std::array::from_fn(|_| vec![0; view.width * view.height]) }
    }

    pub fn mask(&self, ink: Ink) -> &[u8] {
        &self.masks[ink as usize]
    }

    fn place(&self, point: Point) -> Point {
        (
            (point.0 - self.view.left) / self.view.step.0,
            (point.1 - self.view.top) / self.view.step.1,
        )
    }

    /// Draws a stroke with round ends. One thinner than a pixel is drawn a
    /// pixel thick and paler.
    pub fn stroke(&mut self, ink: Ink, stroke: Stroke, strength: f32) {
        let (a, b) = (self.place(stroke.from), self.place(stroke.to));
        let wanted = stroke.radius / self.view.pixel();
        let radius = wanted.max(0.5);
        let strength = strength * (wanted / radius);
        if strength < 0.01 {
            return;
        }
        let reach = radius + 0.5;
        let (width, height) = (self.view.width as f32, self.view.height as f32);
        let top = (a.1.min(b.1) - reach).max(0.0);
        let bottom = (a.1.max(b.1) + reach).min(height);
        let left = (a.0.min(b.0) - reach).max(0.0);
        let right = (a.0.max(b.0) + reach).min(width);
        if top >= bottom || left >= right {
            return;
        }
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let squared = dx * dx + dy * dy;
        let inverse = if squared > 0.0 { 1.0 / squared } else { 0.0 };
        let length = squared.sqrt();
        // A long slanting stroke covers little of each row: find where.
        let lean = (dy.abs() > 0.01).then(|| (dx / dy, reach * length / dy.abs() + 1.0));
        let mask = &mut self.masks[ink as usize];
        for row in top as usize..(bottom.ceil() as usize).min(self.view.height) {
            let y = row as f32 + 0.5;
            let (mut from, mut to) = (left, right);
            if let Some((per_row, spread)) = lean {
                let middle = a.0 + (y - a.1) * per_row;
                from = from.max(middle - spread);
                to = to.min(middle + spread);
            }
            if from >= to {
                continue;
            }
            let first = from as usize;
            let last = (to.ceil() as usize).min(self.view.width);
            let line = &mut mask[row * self.view.width..][first..last];
            let py = y - a.1;
            let mut px = first as f32 + 0.5 - a.0;
            for cell in line {
                let t = ((px * dx + py * dy) * inverse).clamp(0.0, 1.0);
                let (ex, ey) = (px - t * dx, py - t * dy);
                let far = ex * ex + ey * ey;
                if far < reach * reach {
                    let cover = (reach - far.sqrt()).min(1.0) * strength;
                    *cell = (*cell).max((cover * 255.0) as u8);
                }
                px += 1.0;
            }
        }
    }

    /// Fills a convex shape whose corners go clockwise on the sheet.
    pub fn fill(&mut self, ink: Ink, corners: &[Point], strength: f32) {
        let corners: Vec<Point> = corners.iter().map(|corner| self.place(*corner)).collect();
        let (mut left, mut top) = (f32::MAX, f32::MAX);
        let (mut right, mut bottom) = (f32::MIN, f32::MIN);
        for (x, y) in &corners {
            (left, right) = (left.min(*x), right.max(*x));
            (top, bottom) = (top.min(*y), bottom.max(*y));
        }
        let left = (left - 1.0).max(0.0) as usize;
        let top = (top - 1.0).max(0.0) as usize;
        let right = ((right + 1.0).max(0.0) as usize).min(self.view.width);
        let bottom = ((bottom + 1.0).max(0.0) as usize).min(self.view.height);
        let mut edges = Vec::new();
        for (index, (x, y)) in corners.iter().enumerate() {
            let (nx, ny) = corners[(index + 1) % corners.len()];
            let length = ((nx - x).powi(2) + (ny - y).powi(2)).sqrt();
            if length > 0.0 {
                // Inward normal and offset.
                let (a, b) = (-(ny - y) / length, (nx - x) / length);
                edges.push((a, b, -(a * x + b * y)));
            }
        }
        let mask = &mut self.masks[ink as usize];
        for row in top..bottom {
            for column in left..right {
                let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
                let mut inside = 1.0_f32;
                for (a, b, c) in &edges {
                    inside = inside.min(a * x + b * y + c + 0.5);
                }
                if inside > 0.0 {
                    let cell = &mut mask[row * self.view.width + column];
                    *cell = (*cell).max((inside * strength * 255.0) as u8);
                }
            }
        }
    }
}
