//! Pictures of a folder: decoded when first asked for, and a few of them kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb, RgbImage};

use super::noise::hash;
use super::request::Rect;

/// Decoded pixels kept in memory, in bytes. The newest picture always stays.
const KEPT: usize = 384 << 20;

/// Decoded pictures, the latest used last.
#[derive(Debug, Default)]
pub struct Cache {
    pictures: Mutex<Vec<(PathBuf, Arc<RgbImage>)>>,
}

impl Cache {
    fn get(&self, path: &Path) -> Option<Arc<RgbImage>> {
        let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        let index = pictures.iter().position(|(kept, _)| kept == path)?;
        let found = pictures.remove(index);
        let picture = Arc::clone(&found.1);
        pictures.push(found);
        Some(picture)
    }

    fn put(&self, path: &Path, picture: &Arc<RgbImage>) {
        let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        pictures.retain(|(kept, _)| kept != path);
        pictures.push((path.to_owned(), Arc::clone(picture)));
        let mut bytes: usize = pictures.iter().map(|(_, kept)| kept.as_raw().len()).sum();
        while bytes > KEPT && pictures.len() > 1 {
            bytes -= pictures.remove(0).1.as_raw().len();
        }
    }
}

/// One picture file.
#[derive(Debug)]
pub struct PictureFile {
    path: PathBuf,
    size: (u32, u32),
    fingerprint: u32,
    cache: Arc<Cache>,
    /// Held while decoding, so that the many tiles a viewer asks for at once
    /// decode the file once.
    decoding: Mutex<()>,
}

impl PictureFile {
    /// The picture files of a folder, by name. One that cannot be read is passed over, with a line.
    pub fn list(dir: &Path) -> Result<Vec<Self>, String> {
        let failed = |error: io::Error| format!("cannot read folder {}: {error}", dir.display());
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let known = path.extension().and_then(|extension| extension.to_str()).is_some_and(
                |extension| {
                    ["jpg", "jpeg", "png", "tif", "tiff"]
                        .iter()
                        .any(|known| extension.eq_ignore_ascii_case(known))
                },
            );
            if known && path.is_file() {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(format!("no JPEG, PNG or TIFF picture in folder {}", dir.display()));
        }
        paths.sort();
        let cache = Arc::new(Cache::default());
        let (mut files, mut last) = (Vec::new(), String::new());
        for path in paths {
            match Self::open(path, &cache) {
                Ok(file) => files.push(file),
                Err(error) => {
                    tracing::warn!("passed over: {error}");
                    last = error;
                }
            }
        }
        if files.is_empty() {
            return Err(format!("no picture that can be read in folder {}: {last}", dir.display()));
        }
        Ok(files)
    }

    fn open(path: PathBuf, cache: &Arc<Cache>) -> Result<Self, String> {
        let failed =
            |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", path.display());
        let mut decoder = decoder(&path).map_err(|error| failed(&error))?;
        let (width, height) = decoder.dimensions();
        let turned = matches!(
            decoder.orientation().map_err(|error| failed(&error))?,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        let size = if turned { (height, width) } else { (width, height) };
        let metadata = fs::metadata(&path).map_err(|error| failed(&error))?;
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |since| since.subsec_nanos() ^ low_bits(since.as_secs()));
        let fingerprint = modified ^ hash(low_bits(metadata.len()), 0, 0);
        drop(decoder);
        Ok(Self { path, size, fingerprint, cache: Arc::clone(cache), decoding: Mutex::new(()) })
    }

    /// The file's name without its extension.
    pub fn stem(&self) -> Option<&str> {
        self.path.file_stem()?.to_str()
    }

    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// Changes when the file does.
    pub fn fingerprint(&self) -> u32 {
        self.fingerprint
    }

    /// Scales a part of the picture to `width` x `height` pixels.
    pub fn render(&self, region: Rect, width: u32, height: u32) -> Result<RgbImage, String> {
        let picture = self.pixels()?;
        let Rect { x, y, width: from_width, height: from_height } = region;
        let part = imageops::crop_imm(&*picture, x, y, from_width, from_height);
        if (from_width, from_height) == (width, height) {
            return Ok(part.to_image());
        }
        // Far smaller: the mean of the pixels is good and much quicker.
        if from_width / 2 >= width && from_height / 2 >= height {
            return Ok(imageops::thumbnail(&*part, width, height));
        }
        Ok(imageops::resize(&*part, width, height, FilterType::CatmullRom))
    }

    fn pixels(&self) -> Result<Arc<RgbImage>, String> {
        let _alone = self.decoding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(picture) = self.cache.get(&self.path) {
            return Ok(picture);
        }
        let picture = self
            .decode()
            .map_err(|error| format!("cannot decode {}: {error}", self.path.display()))?;
        if picture.dimensions() != self.size {
            return Err(format!("{} has changed since the start", self.path.display()));
        }
        let picture = Arc::new(picture);
        self.cache.put(&self.path, &picture);
        Ok(picture)
    }

    fn decode(&self) -> image::ImageResult<RgbImage> {
        let mut decoder = decoder(&self.path)?;
        let orientation = decoder.orientation()?;
        let mut picture = DynamicImage::from_decoder(decoder)?;
        picture.apply_orientation(orientation);
        Ok(if picture.color().has_alpha() { on_white(&picture) } else { picture.into_rgb8() })
    }
}

fn decoder(path: &Path) -> image::ImageResult<impl ImageDecoder> {
    // By content: a wrong extension is no reason to fail.
    ImageReader::open(path)?.with_guessed_format()?.into_decoder()
}

/// Neither output is meant to be transparent, so paper shows through.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        Rgb([red, green, blue].map(|value| {
            let mixed =
                (u32::from(value) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255;
            u8::try_from(mixed).unwrap_or(u8::MAX)
        }))
    })
}

fn low_bits(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("images-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("a temporary folder");
        dir
    }

    #[test]
    fn a_folder_gives_its_pictures_by_name_and_their_parts() {
        let dir = folder("parts");
        let picture = RgbImage::from_fn(40, 20, |x, _| Rgb(if x < 20 { [250; 3] } else { [5; 3] }));
        picture.save(dir.join("b.png")).expect("a PNG");
        picture.save(dir.join("a.TIF")).expect("a TIFF");
        fs::write(dir.join("notes.txt"), "no picture").expect("a text");
        let files = PictureFile::list(&dir).expect("two pictures");
        let stems: Vec<_> = files.iter().filter_map(PictureFile::stem).collect();
        assert_eq!(stems, ["a", "b"]);
        for file in &files {
            assert_eq!(file.size(), (40, 20));
            let right = Rect { x: 20, y: 0, width: 20, height: 20 };
            for (width, height) in [(20, 20), (5, 5), (15, 19), (33, 7)] {
                let part = file.render(right, width, height).expect("a part");
                assert_eq!(part.dimensions(), (width, height));
                assert!(part.pixels().all(|pixel| pixel.0 == [5; 3]), "{width} x {height}");
            }
        }
        fs::remove_dir_all(dir).expect("cleaned up");
    }

    #[test]
    fn a_folder_that_is_no_use_says_so_in_a_line() {
        let dir = folder("useless");
        let error = PictureFile::list(&dir).expect_err("an empty folder");
        assert!(error.starts_with("no JPEG, PNG or TIFF picture"), "{error}");
        fs::write(dir.join("broken.png"), "no picture").expect("a text");
        let error = PictureFile::list(&dir).expect_err("a broken picture");
        assert!(error.contains("broken.png") && !error.contains('\n'), "{error}");
        // Beside one that is good it is passed over.
        RgbImage::from_pixel(4, 3, Rgb([9; 3])).save(dir.join("z.png")).expect("a PNG");
        fs::write(dir.join("empty.jpg"), "").expect("an empty file");
        let files = PictureFile::list(&dir).expect("a picture");
        assert_eq!(files.iter().filter_map(PictureFile::stem).collect::<Vec<_>>(), ["z"]);
        let error = PictureFile::list(&dir.join("missing")).expect_err("no folder");
        assert!(error.contains("missing"), "{error}");
        fs::remove_dir_all(dir).expect("cleaned up");
    }
}
