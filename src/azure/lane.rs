//! The queue of one key: so many at a time, fewer when the service complains, and nobody while it asks to wait.
//!
//! A lane knows no clock. Whoever is told to wait leaves the instant in the lane ([`Lane::owe`]); the next in turn,
//! mostly the same, takes it ([`Lane::take_owed`]) and sleeps while it holds a [`Pause`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

/// Answers without a complaint until a lane widens by one.
const CALM: usize = 16;
/// Questions in a row that were throttled to their end until the key is not asked any more.
const PATIENCE: usize = 3;

/// The queue of one key.
#[derive(Debug)]
pub(super) struct Lane {
    widest: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many may be inside.
    width: usize,
    inside: usize,
    /// In the order in which they are let in; those that have gone are skipped.
    waiting: VecDeque<oneshot::Sender<Slot>>,
    /// How many are sleeping because the service said so. Nobody is let in meanwhile.
    pauses: usize,
    /// Until when the service said to wait, while nobody does.
    owed: Option<DateTime<Utc>>,
    /// Answers since the width changed.
    calm: usize,
    /// The service said that little of its quota is left.
    is_low: bool,
    /// Questions in a row that ended throttled.
    exhausted: usize,
}

/// The right to send requests under a key, given back on drop.
#[derive(Debug)]
pub(super) struct Slot(Option<Arc<Lane>>);

/// Keeps a lane closed until it is dropped.
#[derive(Debug)]
pub(super) struct Pause(Arc<Lane>);

impl Lane {
    /// An open lane of full width.
    pub(super) fn new(widest: usize) -> Arc<Lane> {
        let widest = widest.max(1);
        let state = State {
            width: widest,
            inside: 0,
            waiting: VecDeque::new(),
            pauses: 0,
            owed: None,
            calm: 0,
            is_low: false,
            exhausted: 0,
        };
        Arc::new(Lane { widest, state: Mutex::new(state) })
    }

    /// A slot, when it is this one's turn; none once the key was given up. Who was inside before goes first, so that
    /// lists that were begun are finished before others begin.
    pub(super) async fn enter(self: &Arc<Lane>, was_inside: bool) -> Option<Slot> {
        let turn = {
            let mut state = self.lock();
            if state.is_given_up() {
                return None;
            }
            if state.has_room() && state.waiting.is_empty() {
                state.inside += 1;
                return Some(Slot(Some(self.clone())));
            }
            let (call, turn) = oneshot::channel();
            if was_inside {
                state.waiting.push_front(call)
            } else {
                state.waiting.push_back(call)
            }
            turn
        };
        turn.await.ok()
    }

    /// Closes the lane until the pause is dropped.
    pub(super) fn pause(self: &Arc<Lane>) -> Pause {
        self.lock().pauses += 1;
        Pause(self.clone())
    }

    /// Nobody may be let in before `until`.
    pub(super) fn owe(&self, until: DateTime<Utc>) {
        let mut state = self.lock();
        state.owed = state.owed.max(Some(until));
    }

    /// The instant that was left with [`Lane::owe`], for whoever waits for it.
    pub(super) fn take_owed(&self) -> Option<DateTime<Utc>> {
        self.lock().owed.take()
    }

    /// The service throttles: half as many from now on. What it says to several at once counts once.
    pub(super) fn throttled(&self) {
        let mut state = self.lock();
        state.calm = 0;
        if state.pauses == 0 && state.owed.is_none() {
            state.width = (state.width / 2).max(1);
        }
    }

    /// A question was throttled to its end. Too many of those in a row, and whoever waits is sent away.
    pub(super) fn exhausted(&self) {
        let mut state = self.lock();
        state.exhausted += 1;
        if state.is_given_up() {
            state.waiting.clear();
        }
    }

    /// The service answered, and perhaps said whether little of its quota is left: then one at a time.
    pub(super) fn answered(self: &Arc<Lane>, is_low: Option<bool>) {
        {
            let mut state = self.lock();
            state.exhausted = 0;
            state.calm += 1;
            state.is_low = is_low.unwrap_or(state.is_low);
            if state.is_low {
                (state.width, state.calm) = (1, 0);
            } else if state.calm >= CALM && state.width < self.widest {
                (state.width, state.calm) = (state.width + 1, 0);
            }
        }
        self.admit();
    }

    fn admit(self: &Arc<Lane>) {
        loop {
            let call = {
                let mut state = self.lock();
                if !state.has_room() {
                    return;
                }
                let Some(call) = state.waiting.pop_front() else { return };
                state.inside += 1;
                call
            };
            if let Err(mut slot) = call.send(Slot(Some(self.clone()))) {
                // nobody waits there any more
                slot.0 = None;
                self.lock().inside -= 1;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.pauses == 0 && self.inside < self.width
    }

    fn is_given_up(&self) -> bool {
        self.exhausted >= PATIENCE
    }
}

impl Slot {
    /// Whether its holder may send now; if not, it goes back into the queue.
    pub(super) fn may_stay(&self) -> bool {
        let Some(lane) = &self.0 else { return false };
        let state = lane.lock();
        state.pauses == 0 && state.inside <= state.width && !state.is_given_up()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(lane) = self.0.take() {
            lane.lock().inside -= 1;
            lane.admit();
        }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.lock().pauses -= 1;
        self.0.admit();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn width(lane: &Arc<Lane>) -> usize {
        lane.lock().width
    }

    fn at_once(lane: &Arc<Lane>) -> Option<Slot> {
        lane.enter(false).now_or_never().flatten()
    }

    #[test]
    fn so_many_are_inside_and_the_next_waits_for_one_to_leave() {
        let lane = Lane::new(2);
        let (one, two) = (at_once(&lane).unwrap(), at_once(&lane).unwrap());
        let mut third = Box::pin(lane.enter(false));
        assert!(third.as_mut().now_or_never().is_none());
        drop(one);
        let third = third.now_or_never().unwrap().unwrap();
        assert!(at_once(&lane).is_none());
        drop((two, third));
        assert_eq!(lane.lock().inside, 0);
    }

    #[test]
    fn who_was_inside_comes_before_who_was_not() {
        let lane = Lane::new(1);
        let inside = at_once(&lane).unwrap();
        let (mut new, mut old) = (Box::pin(lane.enter(false)), Box::pin(lane.enter(true)));
        assert!(new.as_mut().now_or_never().is_none() && old.as_mut().now_or_never().is_none());
        drop(inside);
        assert!(new.as_mut().now_or_never().is_none());
        assert!(old.now_or_never().is_some());
    }

    #[test]
    fn nobody_is_let_in_during_a_pause_and_who_is_inside_goes_back() {
        let lane = Lane::new(2);
        let inside = at_once(&lane).unwrap();
        let (first, second) = (lane.pause(), lane.pause());
        assert!(at_once(&lane).is_none() && !inside.may_stay());
        drop(first);
        assert!(at_once(&lane).is_none() && !inside.may_stay(), "the longer one is not over");
        drop(second);
        assert!(at_once(&lane).is_some() && inside.may_stay());
    }

    #[test]
    fn one_who_has_gone_takes_no_slot_with_him() {
        let lane = Lane::new(1);
        let inside = at_once(&lane).unwrap();
        for _ in 0..1000 {
            assert!(at_once(&lane).is_none());
        }
        let mut patient = Box::pin(lane.enter(false));
        assert!(patient.as_mut().now_or_never().is_none());
        drop(inside);
        drop(patient.now_or_never().unwrap().unwrap());
        // called and gone before it looked
        let inside = at_once(&lane).unwrap();
        let mut called = Box::pin(lane.enter(false));
        assert!(called.as_mut().now_or_never().is_none());
        drop(inside);
        drop(called);
        assert!(at_once(&lane).is_some());
    }

    #[test]
    fn it_halves_once_for_one_complaint_and_grows_slowly() {
        let lane = Lane::new(8);
        lane.throttled();
        assert_eq!(width(&lane), 4);
        let pause = lane.pause();
        lane.throttled();
        assert_eq!(width(&lane), 4, "said to several at once");
        drop(pause);
        lane.throttled();
        lane.throttled();
        lane.throttled();
        assert_eq!(width(&lane), 1);
        (0..CALM - 1).for_each(|_| lane.answered(None));
        assert_eq!(width(&lane), 1);
        lane.answered(None);
        assert_eq!(width(&lane), 2);
        (0..1000).for_each(|_| lane.answered(None));
        assert_eq!(width(&lane), 8, "never wider than it was");
    }

    #[test]
    fn with_little_left_it_is_one_at_a_time_until_there_is_more() {
        let lane = Lane::new(4);
        let slots = [at_once(&lane).unwrap(), at_once(&lane).unwrap()];
        lane.answered(Some(true));
        assert!(!slots[0].may_stay());
        drop(slots);
        (0..100).for_each(|_| lane.answered(None));
        assert_eq!(width(&lane), 1);
        (0..CALM).for_each(|_| lane.answered(Some(false)));
        assert_eq!(width(&lane), 2);
    }

    #[test]
    fn a_key_that_throttles_question_after_question_is_given_up_until_it_answers() {
        let lane = Lane::new(1);
        let inside = at_once(&lane).unwrap();
        let mut waiting = Box::pin(lane.enter(false));
        assert!(waiting.as_mut().now_or_never().is_none());
        lane.exhausted();
        lane.exhausted();
        lane.answered(None);
        lane.exhausted();
        lane.exhausted();
        assert!(inside.may_stay() && waiting.as_mut().now_or_never().is_none());
        lane.exhausted();
        assert!(!inside.may_stay());
        assert!(matches!(waiting.now_or_never(), Some(None)), "whoever waits is sent away");
        assert!(matches!(lane.enter(true).now_or_never(), Some(None)));
    }

    #[test]
    fn the_longest_wait_that_is_owed_counts() {
        let lane = Lane::new(1);
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        lane.owe(at("2026-10-02T09:00:30Z"));
        lane.owe(at("2026-10-02T09:00:10Z"));
        assert_eq!(lane.take_owed(), Some(at("2026-10-02T09:00:30Z")));
        assert_eq!(lane.take_owed(), None);
    }
}
