//! A few notes, in whole numbers.

/// Samples in a second.
pub(super) const RATE: u32 = 24_000;
/// Samples of a note: eight frames of FLAC.
pub(super) const LENGTH: u16 = 32_768;

/// Twice the cosine of the angle between two samples, and the sine of it in loudness: C, E, G, C.
pub(super) const NOTES: [(i64, i64); 6] = [
    (2_142_448_150, 1_148_250),
    (2_139_492_282, 1_446_026),
    (2_136_184_959, 1_718_747),
    (2_127_366_040, 2_291_071),
    (2_136_184_959, 1_718_747),
    (2_142_448_150, 1_148_250),
];

/// A sine by its recurrence, which swells and fades.
pub(super) fn note(number: usize) -> Vec<i16> {
    let (cosine, sine) = NOTES[number];
    let (mut before, mut now) = (0_i64, sine);
    (0..LENGTH)
        .map(|at| {
            let next = ((cosine * now) >> 30) - before;
            (before, now) = (now, next);
            let loudness = at.min(LENGTH - 1 - at).min(2_000);
            i16::try_from((before * i64::from(loudness) / 2_000) >> 10).unwrap_or_default()
        })
        .collect()
}

/// All of them, one after the other.
pub(super) fn all() -> Vec<i16> {
    (0..NOTES.len()).flat_map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It sounds, and neither runs away nor clicks.
    #[test]
    fn notes_sound() {
        for number in 0..NOTES.len() {
            let note = note(number);
            assert_eq!(note.len(), usize::from(LENGTH));
            let loudest = note.iter().map(|sample| sample.unsigned_abs()).max();
            assert!(loudest.is_some_and(|own| (12_000..20_000).contains(&own)), "{loudest:?}");
            assert_eq!((note[0], note[note.len() - 1]), (0, 0));
            let turns = note.windows(2).filter(|two| (two[0] < 0) != (two[1] < 0)).count();
            assert!((600..1_600).contains(&turns), "{turns}");
        }
    }
}
