//! An order that differs from round to round, so that nobody always follows the same neighbour. It need not be secret,
//! only the same in every run: SplitMix64 (Steele, Lea, Flood 2014) and the shuffle of Fisher and Yates.

/// A source of orders.
pub struct Shuffle(u64);

impl Default for Shuffle {
    fn default() -> Self {
        Self::new()
    }
}

impl Shuffle {
    /// The source that every run starts with.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// The numbers below `count` in the next order.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    /// A number below `limit`. That the lowest are a little likelier does not matter for limits this small.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).expect("usize has at most 64 bits");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("it is below a usize")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_every_number_once_and_the_next_one_differs() {
        let mut shuffle = Shuffle::new();
        let orders = [shuffle.order(20), shuffle.order(20)];
        assert_ne!(orders[0], orders[1]);
        for mut order in orders {
            order.sort_unstable();
            assert_eq!(order, (0..20).collect::<Vec<_>>());
        }
    }
}
