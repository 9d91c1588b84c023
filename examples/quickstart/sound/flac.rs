//! FLAC without any compression (RFC 9639): every browser's players know it, and no encoder is needed.

/// Samples of a frame.
pub(super) const BLOCK: u16 = 4096;

/// What a player has to know beforehand (§8.2): block sizes, no frame sizes, 24 kHz, one channel of 16 bits,
/// no length, no checksum.
pub(super) fn stream_info() -> Vec<u8> {
    let block = BLOCK.to_be_bytes();
    let mut info = [block, block].concat();
    info.extend_from_slice(&[0; 6]);
    info.extend_from_slice(&[0x05, 0xdc, 0x00, 0xf0, 0, 0, 0, 0]);
    info.extend_from_slice(&[0; 16]);
    info
}

/// The frame of this number, which is below 128: it then is written in one byte.
pub(super) fn frame(number: u8, samples: &[i16]) -> Vec<u8> {
    // Fixed blocks of 4096 samples, 24 kHz, one channel of 16 bits (§9.1).
    let mut frame = vec![0xff, 0xf8, 0xc7, 0x08, number];
    frame.push(crc_8(&frame));
    // The samples as they are (§9.2.4).
    frame.push(0x02);
    for sample in samples {
        frame.extend_from_slice(&sample.to_be_bytes());
    }
    let check = crc_16(&frame);
    frame.extend_from_slice(&check.to_be_bytes());
    frame
}

fn crc_8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| (crc << 1) ^ if crc & 0x80 == 0 { 0 } else { 0x07 })
    })
}

fn crc_16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let start = crc ^ (u16::from(*byte) << 8);
        (0..8).fold(start, |crc, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x8005 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksums of "123456789" are known.
    #[test]
    fn checksums() {
        assert_eq!(crc_8(b"123456789"), 0xf4);
        assert_eq!(crc_16(b"123456789"), 0xfee8);
    }

    #[test]
    fn what_a_player_reads_first() {
        let info = stream_info();
        assert_eq!(info.len(), 34);
        let bits = u64::from_be_bytes(info[10..18].try_into().expect("eight bytes"));
        let (rate, channels, depth) = (bits >> 44, bits >> 41 & 7, bits >> 36 & 31);
        assert_eq!((rate, channels, depth, bits & 0xf_ffff_ffff), (24_000, 0, 15, 0));
        assert_eq!(frame(3, &[0; 4096]).len(), 6 + 1 + 8192 + 2);
    }
}
