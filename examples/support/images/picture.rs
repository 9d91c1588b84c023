//! A rendered picture: the sea chart of an invented archipelago. Nothing of
//! it is stored as pixels. Each point of the sheet is computed when it is
//! asked for, at the resolution it is asked for, so a picture of any size
//! costs nothing until somebody looks, and lines are sharp at every zoom.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    clippy::similar_names,
    reason = "drawing: coordinates are small, colours are cut to a byte"
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use image::RgbImage;

use super::noise::{Octave, Relief, Slope, add_row, dice, floor, hash, smooth};
use super::palette::{PALETTES, Palette, Rgb, mix};
use super::pen::{Ink, Pen, Point, View};
use super::plan::{FIELD, Furniture, Plan, SHEET, inside};
use super::request::Rect;

/// Towards the light, in the upper left as on every engraved map.
pub const LIGHT: Point = (-0.64, -0.77);
/// Rows drawn together. The marks of a band share one set of masks.
const BAND: usize = 128;

/// A chart: its place, its colours, and its size in pixels.
#[derive(Debug)]
pub struct Picture {
    pub seed: u32,
    palette: Palette,
    size: (u32, u32),
    furniture: OnceLock<Furniture>,
}

impl Picture {
    /// The `index`-th picture of a server, `long_edge` pixels wide.
    pub fn new(index: usize, name: &str, long_edge: u32) -> Self {
        let seed = name
            .bytes()
            .fold(hash(0x51ab, index as i32, 3), |seed, byte| hash(seed, i32::from(byte), 1));
        let width = long_edge.max(1);
        let height = u32::try_from((u64::from(width) * 2 + 1) / 3).unwrap_or(width).max(1);
        Self {
            seed,
            palette: PALETTES[index % PALETTES.len()],
            size: (width, height),
            furniture: OnceLock::new(),
        }
    }

    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Changes whenever the pixels would.
    pub fn fingerprint(&self) -> u32 {
        hash(self.seed, 1, 1)
    }

    /// Draws a part of the picture in `width` x `height` pixels.
    pub fn render(&self, region: Rect, width: u32, height: u32) -> RgbImage {
        let unit = (SHEET.0 / self.size.0 as f32, SHEET.1 / self.size.1 as f32);
        let whole = View {
            left: region.x as f32 * unit.0,
            top: region.y as f32 * unit.1,
            step: (
                region.width as f32 * unit.0 / width as f32,
                region.height as f32 * unit.1 / height as f32,
            ),
            width: width as usize,
            height: height as usize,
        };
        let furniture = self.furniture.get_or_init(|| Plan::new(self.seed).furnish());
        let mut pixels = vec![0_u8; whole.width * whole.height * 3];
        let bands: Vec<_> = pixels
            .chunks_mut(whole.width * BAND * 3)
            .enumerate()
            .map(|(index, band)| std::sync::Mutex::new((index, band)))
            .collect();
        let draw = |job: &std::sync::Mutex<(usize, &mut [u8])>| {
            let mut job = job.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let (index, ref mut band) = *job;
            let view = View {
                top: whole.top + (index * BAND) as f32 * whole.step.1,
                height: band.len() / (whole.width * 3),
                ..whole
            };
            Sheet { picture: self, furniture, view }.draw(band);
        };
        // A tile is quick. Only a large image is worth more than one thread.
        let threads = if bands.len() > 6 {
            thread::available_parallelism().map_or(1, usize::from).min(8)
        } else {
            1
        };
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(band) = bands.get(next.fetch_add(1, Ordering::Relaxed)) {
                draw(band);
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
        drop(bands);
        RgbImage::from_raw(width, height, pixels).unwrap_or_default()
    }
}

/// Falls from 1 towards 0, much as `(-x).exp()` does, and quicker to compute.
#[inline]
fn fade(x: f32) -> f32 {
    let x = x.max(0.0);
    1.0 / (1.0 + x * (1.0 + 0.6 * x))
}

/// How much of a pixel a line at `distance` pixels covers that is `width`
/// pixels thick.
#[inline]
fn cover(distance: f32, width: f32) -> f32 {
    if width < 1.0 {
        (1.0 - distance).clamp(0.0, 1.0) * width
    } else {
        (width / 2.0 + 0.5 - distance).clamp(0.0, 1.0)
    }
}

/// One band of the picture while it is drawn.
pub struct Sheet<'a> {
    pub picture: &'a Picture,
    pub furniture: &'a Furniture,
    pub view: View,
}

impl Sheet<'_> {
    fn draw(&self, band: &mut [u8]) {
        let mut pen = Pen::new(self.view);
        self.mark(&mut pen);
        self.paint(&pen, band);
    }

    /// The colour of every pixel, and the inks over it.
    fn paint(&self, pen: &Pen, band: &mut [u8]) {
        let palette = self.picture.palette;
        let seed = self.picture.seed;
        let pixel = self.view.pixel();
        let mut relief = Relief::new(seed, SHEET, pixel);
        let mut ridges = Ridges::new(seed, pixel);
        let mut brush = [(Octave::new(hash(seed, 4, 0), 47.0), 1.0)];
        // Stains, mottles and grain: those that are too fine to see are none.
        let mut texture: Vec<_> =
            [(210.0, 0.07, 0.0, 0.0), (14.0, 0.05, 1.0, 4.0), (0.9, 0.07, 2.0, 5.0)]
                .into_iter()
                .enumerate()
                .map(|(index, (wavelength, strength, none, all))| {
                    let visible = smooth(none - 0.1, all, wavelength / pixel);
                    (Octave::new(hash(seed, index as i32, 0), wavelength), strength * visible)
                })
                .filter(|(_, strength)| *strength > 0.0)
                .collect();
        let blank = vec![Slope::default(); self.view.width];
        let mut grounds = blank.clone();
        let mut tones = blank.clone();
        let mut strokes = blank.clone();
        let cartouche = &self.furniture.cartouche;
        let inks = [
            (pen.mask(Ink::Sea), palette.ink, 0.42),
            (pen.mask(Ink::Fine), palette.ink, 0.85),
            (pen.mask(Ink::Blank), palette.paper, 0.75),
            (pen.mask(Ink::Bold), palette.ink, 0.95),
            (pen.mask(Ink::Accent), palette.accent, 0.95),
        ];
        for row in 0..self.view.height {
            let y = self.view.top + (row as f32 + 0.5) * self.view.step.1;
            let hatching = Hatching::new(seed, y, pixel);
            let (step, start) = (self.view.step.0, (self.view.left + 0.5 * self.view.step.0, y));
            relief.row(start, step, &mut grounds);
            ridges.row(start, step, self.view.width);
            tones.copy_from_slice(&blank);
            add_row(&mut texture, start, step, &mut tones);
            strokes.copy_from_slice(&blank);
            add_row(&mut brush, start, step, &mut strokes);
            for column in 0..self.view.width {
                let x = self.view.left + (column as f32 + 0.5) * self.view.step.0;
                let mut sea = 0.0;
                let drawn = inside(&FIELD, x, y) && !inside(cartouche, x, y);
                let mut color = if drawn {
                    let ground = grounds[column];
                    let wet = strokes[column].value;
                    let land = land_share(ground, pixel);
                    sea = 1.0 - land;
                    let mut color = palette.paper;
                    if land < 1.0 {
                        color = self.sea(ground, wet, &hatching);
                    }
                    if land > 0.0 {
                        let slope = ridges.over(ground, column);
                        color = mix(color, self.land(ground, slope, wet), land);
                    }
                    // The coastline itself.
                    let distance = ground.value.abs() / (ground.steepness() * pixel + 1e-6);
                    mix(color, palette.ink, 0.9 * cover(distance, (0.6 / pixel).max(1.1)))
                } else {
                    palette.paper
                };
                let index = row * self.view.width + column;
                for (layer, (mask, ink, strength)) in inks.iter().enumerate() {
                    let mark = mask[index];
                    if mark > 0 {
                        let share = if layer == 0 { sea } else { 1.0 };
                        color = mix(color, *ink, f32::from(mark) / 255.0 * strength * share);
                    }
                }
                let mut tone = 1.0 + tones[column].value;
                // Old paper is darker towards its edges.
                let edge = x.min(y).min(SHEET.0 - x).min(SHEET.1 - y);
                tone -= 0.16 * (1.0 - smooth(-10.0, 70.0, edge));
                for (byte, value) in band[index * 3..index * 3 + 3].iter_mut().zip(color) {
                    *byte = (value * tone + 0.5) as u8;
                }
            }
        }
    }

    fn sea(&self, ground: Slope, wet: f32, hatching: &Hatching) -> Rgb {
        let palette = &self.picture.palette;
        let pixel = self.view.pixel();
        let depth = -ground.value;
        let steep = ground.steepness() * pixel + 1e-6;
        let mut color = mix(palette.shallow, palette.deep, smooth(0.0, 0.5, depth + 0.09 * wet));
        color = mix(color, palette.paper, 0.30 + 0.12 * wet);
        // A wash of stronger colour along the shore.
        let shore = fade(depth * 26.0);
        color = mix(color, palette.deep, 0.55 * shore * (1.0 + 0.6 * wet));
        // Lines that follow the coast, thinner the farther out.
        let rank = (depth * 520.0).max(0.0).sqrt();
        let nearest = (rank + 0.5) as i32;
        if (1..=5).contains(&nearest) {
            let level = (nearest * nearest) as f32 / 520.0;
            let distance = (depth - level).abs() / steep;
            let width = (0.34 - 0.04 * nearest as f32) / pixel;
            color = mix(color, palette.ink, 0.55 * cover(distance, width));
        }
        // Depth contours.
        for level in [0.16_f32, 0.3, 0.44] {
            let distance = (depth - level).abs() / steep;
            color = mix(color, palette.ink, 0.38 * cover(distance, 0.3 / pixel));
        }
        mix(color, palette.ink, 0.5 * hatching.at(depth + 0.05 * wet))
    }

    /// `slope` is that of the ground with its ridges.
    fn land(&self, ground: Slope, slope: Slope, wet: f32) -> Rgb {
        let palette = &self.picture.palette;
        let height = slope.value;
        let mut color = mix(palette.lowland, palette.upland, smooth(0.0, 0.34, height));
        color = mix(color, palette.peak, smooth(0.42, 0.7, height));
        // The coast is washed with colour by hand, unevenly.
        let shore = fade(ground.value * 30.0);
        color = mix(color, palette.wash, 0.62 * shore * (0.85 + 0.7 * wet));
        let lit = (slope.dx * LIGHT.0 + slope.dy * LIGHT.1) * -34.0;
        let shade = lit / (1.0 + lit.abs());
        if shade > 0.0 {
            mix(color, palette.shadow(), 0.36 * shade)
        } else {
            mix(color, [255.0, 250.0, 235.0], -0.24 * shade)
        }
    }
}

/// How much of the pixel around a point is land.
#[inline]
fn land_share(ground: Slope, pixel: f32) -> f32 {
    (0.5 + ground.value / (ground.steepness() * pixel + 1e-6)).clamp(0.0, 1.0)
}

/// Mountain ridges, which rise with the ground they stand on.
pub struct Ridges {
    octaves: Vec<([(Octave, f32); 1], f32)>,
    /// The row of each octave.
    folds: Vec<Vec<Slope>>,
}

impl Ridges {
    pub fn new(seed: u32, pixel: f32) -> Self {
        let octaves: Vec<_> = [(105.0, 0.30), (46.0, 0.13), (19.0, 0.045)]
            .into_iter()
            .enumerate()
            .map(|(index, (wavelength, height))| {
                let octave = Octave::new(hash(seed, 50, index as i32), wavelength);
                ([(octave, 1.0)], height * smooth(2.0, 5.0, wavelength / pixel))
            })
            .filter(|(_, height)| *height > 0.0)
            .collect();
        let folds = vec![Vec::new(); octaves.len()];
        Self { octaves, folds }
    }

    fn row(&mut self, start: Point, step: f32, length: usize) {
        for ((octave, _), row) in self.octaves.iter_mut().zip(&mut self.folds) {
            row.clear();
            row.resize(length, Slope::default());
            add_row(octave, start, step, row);
        }
    }

    pub fn at(&mut self, ground: Slope, x: f32, y: f32) -> Slope {
        for (([(octave, _)], _), row) in self.octaves.iter_mut().zip(&mut self.folds) {
            row.clear();
            row.push(octave.at(x, y));
        }
        self.over(ground, 0)
    }

    /// The ground at a point of the row, with its ridges.
    fn over(&self, ground: Slope, column: usize) -> Slope {
        let share = smooth(0.03, 0.30, ground.value);
        let mut slope = ground;
        if share > 0.0 {
            for ((_, height), row) in self.octaves.iter().zip(&self.folds) {
                let fold = row[column];
                let height = *height * share;
                // The crease of the absolute value is the crest; rounded, so
                // that it does not flicker.
                let root = (fold.value * fold.value + 0.0009).sqrt();
                slope.value += height * (0.3 - root);
                slope.dx -= height * fold.dx * fold.value / root;
                slope.dy -= height * fold.dy * fold.value / root;
            }
        }
        slope
    }
}

/// Level lines in the water that run out from the coast, on one row.
struct Hatching {
    /// How much of this row's pixels such a line covers at the coast.
    dark: f32,
    reach: f32,
}

impl Hatching {
    fn new(seed: u32, y: f32, pixel: f32) -> Self {
        const GAP: f32 = 1.7;
        const WIDTH: f32 = 0.42;
        let line = floor(y / GAP);
        let distance = (y - (line as f32 + 0.5) * GAP).abs() / pixel;
        // Too small to tell apart, the lines become a tone.
        let apart = smooth(1.6, 3.2, GAP / pixel);
        let sharp = cover(distance, WIDTH / pixel);
        let dark = WIDTH / GAP + (sharp - WIDTH / GAP) * apart;
        let reach = 0.055 + apart * 0.05 * (dice(seed ^ 0x4d, line, 0) - 0.5);
        Self { dark: dark * (0.5 + 0.5 * apart), reach }
    }

    fn at(&self, depth: f32) -> f32 {
        self.dark * smooth(self.reach, self.reach * 0.35, depth)
    }
}
