//! Chance that can be played again: everything that happens in a world follows from one number.

/// A small seeded generator.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        // SplitMix64: short, and good in its low bits too.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.next() % (most + 1)
    }

    /// An index below `len`.
    pub fn below(&mut self, len: usize) -> usize {
        usize::try_from(self.next() % len as u64).unwrap()
    }

    /// True once in so many.
    pub fn one_in(&mut self, many: u64) -> bool {
        self.up_to(many - 1) == 0
    }

    /// Often an end of `0..=most`, else anything between: mistakes live at the ends.
    pub fn edge(&mut self, most: u64) -> u64 {
        match self.up_to(2) {
            0 => 0,
            1 => most,
            _ => self.up_to(most),
        }
    }
}
