//! How patient and how busy the door is, and how long it waits.

use std::time::Duration;

/// How patient and how busy the door is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How often a request is sent at most while the service answers 429.
    pub tries: u32,
    /// How often a request is sent at most while the service fails or cannot be reached.
    pub tries_on_failure: u32,
    /// The first wait where the service names none; doubled each time.
    pub first_wait: Duration,
    /// The longest wait that we choose ourselves.
    pub longest_wait: Duration,
    /// A service that asks for a longer wait than this is not waited for.
    pub longest_asked_wait: Duration,
    /// A request is not sent again once it would have waited longer than this in all.
    pub patience: Duration,
    /// Up to this much is added to a wait that the service named, so that questions do not come back all at once.
    pub jitter: Duration,
    /// Where chance begins. With it, a wait that we choose lies anywhere between nothing and its full length; without
    /// it every wait has its full length, so that a replay is the same each time.
    pub seed: Option<u64>,
    /// How many requests are under way at a time, over all services and keys.
    pub at_a_time: usize,
    /// How many of them are log queries: the service runs five of one user side by side.
    pub log_queries_at_a_time: usize,
    /// How many of them go to one vault, which has production to serve as well.
    pub at_a_time_to_a_vault: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            tries: 6,
            tries_on_failure: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            longest_asked_wait: Duration::from_secs(15 * 60),
            patience: Duration::from_secs(30 * 60),
            jitter: Duration::from_millis(250),
            seed: None,
            at_a_time: 8,
            log_queries_at_a_time: 5,
            at_a_time_to_a_vault: 2,
        }
    }
}

impl Pace {
    /// 1, 2, 4, 8 … times the first wait.
    pub(super) fn backoff(&self, nth: u32) -> Duration {
        let doubled = 1_u32.checked_shl(nth.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_wait.saturating_mul(doubled).min(self.longest_wait)
    }
}

/// Chance that is the same from the same beginning: `SplitMix64`. It only spreads requests; nothing rests on it.
#[derive(Debug)]
pub(super) struct Luck(Option<u64>);

impl Luck {
    pub(super) fn new(seed: Option<u64>) -> Luck {
        Luck(seed)
    }

    /// Any length up to `longest`; the whole of it without a seed.
    pub(super) fn up_to(&mut self, longest: Duration) -> Duration {
        self.part().map_or(longest, |part| longest.mul_f64(part))
    }

    /// Any length up to `longest`; nothing without a seed.
    pub(super) fn at_most(&mut self, longest: Duration) -> Duration {
        self.part().map_or(Duration::ZERO, |part| longest.mul_f64(part))
    }

    /// From 0 to less than 1.
    fn part(&mut self) -> Option<f64> {
        let state = self.0.as_mut()?;
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        Some((mixed >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn own_waits_double_and_are_capped() {
        let pace = Pace { longest_wait: SECOND * 5, ..Pace::default() };
        let waits: Vec<u64> = [1, 2, 3, 4, 99].iter().map(|nth| pace.backoff(*nth).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn chance_lies_anywhere_in_between_and_is_the_same_from_the_same_beginning() {
        let draw = |seed| {
            let mut luck = Luck::new(Some(seed));
            (0..1000).map(|_| luck.up_to(SECOND)).collect::<Vec<Duration>>()
        };
        let (one, other) = (draw(1), draw(2));
        assert_eq!(one, draw(1));
        assert_ne!(one, other);
        assert!(one.iter().all(|wait| *wait < SECOND));
        // each tenth of the second is met about a hundred times of a thousand
        for tenth in 0..10 {
            let from = SECOND * tenth / 10;
            let met = one.iter().filter(|wait| (from..from + SECOND / 10).contains(*wait)).count();
            assert!((60..140).contains(&met), "{tenth}: {met}");
        }
    }

    #[test]
    fn without_a_seed_nothing_is_left_to_chance() {
        let mut luck = Luck::new(None);
        assert_eq!((luck.up_to(SECOND), luck.at_most(SECOND)), (SECOND, Duration::ZERO));
    }
}
