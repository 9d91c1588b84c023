//! FLAC in the pieces of a fragmented MP4 (ISO/IEC 14496-12), as HLS and MSE take it.

use super::flac;
use super::tone::RATE;

/// What stands before all pieces.
pub(super) fn head() -> Vec<u8> {
    let kind = made(*b"ftyp", &[b"iso6", &[0; 4], b"iso6mp41"]);
    let entry = sample_entry();
    let table = made(
        *b"stbl",
        &[
            &made(*b"stsd", &[&NONE, &1_u32.to_be_bytes(), &entry]),
            &made(*b"stts", &[&NONE, &NONE]),
            &made(*b"stsc", &[&NONE, &NONE]),
            &made(*b"stsz", &[&NONE, &NONE, &NONE]),
            &made(*b"stco", &[&NONE, &NONE]),
        ],
    );
    let place = made(*b"url ", &[&[0, 0, 0, 1]]);
    let data = made(*b"dinf", &[&made(*b"dref", &[&NONE, &1_u32.to_be_bytes(), &place])]);
    let information = made(*b"minf", &[&made(*b"smhd", &[&NONE, &NONE]), &data, &table]);
    // "und", an unknown language.
    let times = made(*b"mdhd", &[&NONE, &[0; 8], &RATE.to_be_bytes(), &NONE, &[0x55, 0xc4, 0, 0]]);
    let handler = made(*b"hdlr", &[&NONE, &NONE, b"soun", &[0; 12], b"tone\0"]);
    let media = made(*b"mdia", &[&times, &handler, &information]);
    let track = made(
        *b"tkhd",
        // In use; the first track; as loud as it is.
        &[&[0, 0, 0, 7], &[0; 8], &ONE, &[0; 8], &[0; 12], &[1, 0, 0, 0], &MATRIX, &[0; 8]],
    );
    let movie = made(
        *b"mvhd",
        &[
            &NONE,
            &[0; 8],
            &RATE.to_be_bytes(),
            &NONE,
            &[0, 1, 0, 0, 1, 0],
            &[0; 10],
            &MATRIX,
            &[0; 24],
            &[0, 0, 0, 2],
        ],
    );
    let pieces = made(*b"mvex", &[&made(*b"trex", &[&NONE, &ONE, &ONE, &[0; 12]])]);
    let track = made(*b"trak", &[&track, &media]);
    [kind, made(*b"moov", &[&movie, &track, &pieces])].concat()
}

/// A piece of the stream.
pub(super) fn piece(number: usize, samples: &[i16]) -> Vec<u8> {
    let number = u32::try_from(number).unwrap_or_default();
    let length = u32::try_from(samples.len()).unwrap_or_default();
    let blocks = samples.chunks_exact(usize::from(flac::BLOCK));
    let count = u32::try_from(blocks.len()).unwrap_or_default();
    let frames: Vec<_> = (number * count..)
        .zip(blocks)
        .map(|(number, block)| flac::frame(u8::try_from(number).unwrap_or_default(), block))
        .collect();
    let size = u32::try_from(frames.first().map_or(0, Vec::len)).unwrap_or_default();
    let begin = u64::from(number) * u64::from(length);
    let fragment = |offset: u32| {
        let of_all = [u32::from(flac::BLOCK), size].map(u32::to_be_bytes).concat();
        let track = made(
            *b"traf",
            &[
                // Lengths and sizes are the same for all; places count from this box.
                &made(*b"tfhd", &[&[0, 2, 0, 0x18], &ONE, &of_all]),
                &made(*b"tfdt", &[&[1, 0, 0, 0], &begin.to_be_bytes()]),
                &made(*b"trun", &[&[0, 0, 0, 1], &count.to_be_bytes(), &offset.to_be_bytes()]),
            ],
        );
        made(*b"moof", &[&made(*b"mfhd", &[&NONE, &(number + 1).to_be_bytes()]), &track])
    };
    let offset = u32::try_from(fragment(0).len() + 8).unwrap_or_default();
    [fragment(offset), made(*b"mdat", &[&frames.concat()])].concat()
}

const NONE: [u8; 4] = [0; 4];
const ONE: [u8; 4] = [0, 0, 0, 1];
/// Neither turned nor scaled.
const MATRIX: [u8; 36] = {
    let mut matrix = [0; 36];
    matrix[1] = 1;
    matrix[17] = 1;
    matrix[32] = 0x40;
    matrix
};

/// One channel of FLAC ("Encapsulation of FLAC in ISO Base Media File Format").
fn sample_entry() -> Vec<u8> {
    // The only block of metadata is the last.
    let info = made(*b"dfLa", &[&NONE, &[0x80, 0, 0, 34], &flac::stream_info()]);
    let rate = (RATE << 16).to_be_bytes();
    made(*b"fLaC", &[&[0; 6], &[0, 1], &[0; 8], &[0, 1, 0, 16, 0, 0, 0, 0], &rate, &info])
}

/// A box: its length, its name, and what is in it.
fn made(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum::<usize>() + 8;
    let length = u32::try_from(length).unwrap_or_default().to_be_bytes();
    let mut made = [length, name].concat();
    for part in parts {
        made.extend_from_slice(part);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::super::tone;
    use super::*;

    fn boxes(mut bytes: &[u8]) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        while let Some((head, _)) = bytes.split_at_checked(8) {
            let length = u32::from_be_bytes(head[..4].try_into().expect("four bytes"));
            let length = usize::try_from(length).expect("a length");
            found.push((String::from_utf8_lossy(&head[4..]).into_owned(), length));
            bytes = &bytes[length..];
        }
        assert!(bytes.is_empty());
        found
    }

    #[test]
    fn boxes_are_as_long_as_they_say() {
        let names: Vec<_> = boxes(&head()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["ftyp", "moov"]);
        for number in 0..tone::NOTES.len() {
            let piece = piece(number, &tone::note(number));
            let parts = boxes(&piece);
            let names: Vec<_> = parts.iter().map(|(name, _)| &**name).collect();
            assert_eq!(names, ["moof", "mdat"]);
            assert_eq!(parts[1].1, 8 + 8 * (6 + 1 + 8192 + 2));
        }
    }
}
