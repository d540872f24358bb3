//! `rand` and `srand`: a generator of our own. The sequence is the same for the same seed, but not gawk's.

/// The generator (SplitMix64). The seed at the start is 1, as gawk reports it.
pub struct Random {
    state: u64,
    seed: f64,
}

impl Default for Random {
    fn default() -> Self {
        Self {
            state: 0,
            seed: 1.0,
        }
    }
}

impl Random {
    /// Returns the next number, at least 0 and below 1.
    pub fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Begins a new sequence and returns the seed of the old one.
    pub fn seed(&mut self, seed: f64) -> f64 {
        self.state = seed.to_bits();
        std::mem::replace(&mut self.seed, seed)
    }
}
