//! The short way: paths that mean themselves, told in one look.

use super::shape;

/// A path in which nothing has to be refused, by any server's reading of a segment, and nothing decoded but,
/// perhaps, the first: nearly every path is one, and one look tells.
pub(super) struct Plain<'p> {
    path: &'p str,
    /// Where the last four slashes are; the one with number `n` at `n % 4`.
    marks: [usize; 4],
    /// The commas of the segments before those, a bit each as far as there is room.
    commas: [u8; 4],
    pub(super) slashes: usize,
    /// Whether there is a colon, as in URLs.
    pub(super) has_colon: bool,
    /// Whether there is a dot in the last segment.
    pub(super) has_suffix: bool,
    /// Whether the first segment has to be decoded, and looked at then.
    pub(super) is_escaped: bool,
}

impl<'p> Plain<'p> {
    #[inline]
    pub(super) fn of(path: &'p str) -> Option<Self> {
        let (mut slashes, mut begin) = (0, 0);
        let (mut has_suffix, mut has_colon, mut marks) = (false, false, [0; 4]);
        let mut is_escaped = false;
        let (mut own_commas, mut commas) = (0_u8, [0; 4]);
        let head = path.strip_suffix(COMMON_END).unwrap_or(path);
        let (bytes, mut at) = (head.as_bytes(), 0);
        while at < bytes.len() {
            if IS_PLAIN[usize::from(bytes[at])] {
                at += 1;
                continue;
            }
            match bytes[at] {
                b',' => own_commas = own_commas << 1 | 1,
                // An empty segment needs a closer look, and one that begins with a dot or a special byte.
                _ if at == begin => return None,
                b'/' => {
                    marks[slashes % 4] = at;
                    commas[slashes % 4] = own_commas;
                    own_commas = 0;
                    slashes += 1;
                    begin = at + 1;
                    has_suffix = false;
                }
                // One that ends with a dot, too.
                b'.' if matches!(bytes.get(at + 1), None | Some(b'/')) => return None,
                b'.' => has_suffix = true,
                b':' => has_colon = true,
                b'%' if slashes == 0 => is_escaped = true,
                _ => return None,
            }
            at += 1;
        }
        if begin >= bytes.len() {
            return None;
        }
        if bytes.len() < path.len() {
            marks[slashes % 4] = at;
            commas[slashes % 4] = own_commas;
            marks[(slashes + 1) % 4] = at + "/0".len();
            commas[(slashes + 1) % 4] = 0;
            slashes += 2;
            has_suffix = true;
        }
        Some(Self { path, marks, commas, slashes, has_colon, has_suffix, is_escaped })
    }

    /// What stands before and behind the slash with so many slashes behind it, of at most four.
    #[inline]
    pub(super) fn split_before(&self, last: usize) -> (&'p str, &'p str) {
        let at = self.marks[(self.slashes - last) % 4];
        (&self.path[..at], &self.path[at + 1..])
    }

    /// The whole path.
    pub(super) fn path(&self) -> &'p str {
        self.path
    }

    /// Whether the last four segments are those of an image request.
    #[inline]
    pub(super) fn ends_in_image(&self) -> bool {
        let mark = |number: usize| self.marks[(self.slashes + number) % 4];
        let part = |from: usize| &self.path.as_bytes()[mark(from) + 1..mark(from + 1)];
        let commas = |from: usize| self.commas[(self.slashes + from + 1) % 4];
        self.has_suffix
            && shape::is_region_with(part(0), commas(0) > 0b11)
            && (commas(1) > 0 || shape::is_size_by_word(part(1)))
            && shape::is_rotation(part(2))
    }
}

/// How nearly every tile's path ends: one look instead of one at each byte.
const COMMON_END: &str = "/0/default.jpg";

/// The bytes that mean themselves everywhere. All others need a closer look.
static IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let mut byte = b'!';
    while byte < 0x7f {
        is_plain[byte as usize] = !matches!(
            byte,
            b'/' | b'.'
                | b':'
                | b','
                | b'%'
                | b'&'
                | b';'
                | b'\\'
                | b'+'
                | b'@'
                | b'#'
                | b'?'
                | b'$'
        );
        byte += 1;
    }
    is_plain
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The short way says what the long way says, in every dialect.
    #[test]
    fn plain_paths_mean_themselves() {
        let mut paths: Vec<String> = [
            "",
            "/",
            "a",
            "a/b",
            "a//b",
            "a/",
            "/a",
            "./a",
            "a/..",
            "...",
            "a/.b",
            "a./b",
            "a/b.",
            "a..b",
            "1/2/3/4/5/6/7/..",
            "a/b/c/d/e/f/g",
            "a:b/c",
            "a/full/max/0/default.jpg",
            "a/b/full/max/0/d.jpg",
            "/0/default.jpg",
            "//0/default.jpg",
            "a/0/default.jpg",
            "a,b/0/default.jpg",
            "a./0/default.jpg",
            "a:b/c/0/default.jpg",
            "a.b/c/./0/default.jpg",
            "a/0/default.jpg/0/default.jpg",
            "a/full/max/0/default.jpg/",
            "a%2Fb/full/max/0/default.jpg",
            "%2Fb/full/max/0/default.jpg",
            "a/full/max/0%2F/default.jpg",
        ]
        .map(str::to_owned)
        .into();
        paths.extend((0..=0x7f_u8).map(|byte| format!("a{}b/c", char::from(byte))));
        paths.push("é".to_owned());
        for path in paths {
            let odd = |segment: &str| {
                let special = |b: u8| !b.is_ascii_graphic() || b";&+@#?$\\".contains(&b);
                segment.is_empty()
                    || segment.starts_with(['.', ':', '%'])
                    || segment.ends_with('.')
                    || segment.bytes().any(special)
            };
            let plain = Plain::of(&path);
            let is_odd =
                path.split('/').any(odd) || path.split('/').skip(1).any(|s| s.contains('%'));
            assert_eq!(plain.is_none(), is_odd, "{path:?}");
            let Some(plain) = plain else { continue };
            assert_eq!(plain.is_escaped, path.contains('%'), "{path:?}");
            let slashes = path.matches('/').count();
            assert_eq!((plain.path(), plain.slashes), (&*path, slashes), "{path:?}");
            for last in 1..=slashes.min(4) {
                let segments: Vec<&str> = path.split('/').collect();
                let (before, behind) = segments.split_at(segments.len() - last);
                let expected = (&*before.join("/"), &*behind.join("/"));
                assert_eq!(plain.split_before(last), expected, "{path:?} {last}");
            }
            let last = path.rsplit('/').next().unwrap_or_default();
            assert_eq!(
                (plain.has_suffix, plain.has_colon),
                (last.contains('.'), path.contains(':'))
            );
        }
    }
}
