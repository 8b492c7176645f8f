//! Random numbers from a seed that a failed test prints.

use std::time::{SystemTime, UNIX_EPOCH};

/// A stream of chance.
pub(super) struct Dice(u64);

impl Dice {
    /// New every time; `DIUNBOX_SEED` repeats what a failed test has printed.
    pub(super) fn new() -> Self {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let seed = std::env::var("DIUNBOX_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::try_from(now()).unwrap());
        println!("DIUNBOX_SEED={seed}");
        Self::of(seed)
    }

    /// The same every time.
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number: SplitMix64.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// One of these.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}
