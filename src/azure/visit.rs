//! One question on its way through the door: its turn, its tries and its waits.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::door::{Place, lock};
use super::key::Key;
use super::lane::{Lane, Slot};
use super::{Answer, Answered, Ask, Door, Refused, TransportError, told};

/// A question on its way through the door. It keeps its turn from page to page, so that lists that were begun are
/// finished before others begin; it lets others pass while it waits.
pub struct Visit<'door> {
    door: &'door Door,
    slot: Option<(Key, Slot)>,
    place: Option<Place<'door>>,
}

/// Where a question waits for its turn.
pub struct Turn {
    key: Key,
    lane: Arc<Lane>,
}

impl Door {
    /// Where the question waits for its turn; refused when it may not leave.
    pub fn turn(&self, ask: &Ask) -> Result<Turn, Refused> {
        let key = self.may_leave(ask)?;
        let lane = self.lane(&key);
        Ok(Turn { key, lane })
    }
}

/// What was tried for one request.
#[derive(Default)]
struct Tried {
    attempts: u32,
    throttled: u32,
    failed: u32,
    /// Waits that this request brought about, in all.
    waited: Duration,
    /// The token that was refused, until another one was asked for.
    refused_token: Option<u32>,
    had_other_token: bool,
}

/// What follows from a try.
enum Next {
    End(Result<Answered, Refused>),
    /// When it is this one's turn again.
    Again,
    /// After a wait that concerns nobody else.
    After(Duration),
}

impl<'door> Visit<'door> {
    pub(super) fn new(door: &'door Door) -> Visit<'door> {
        Visit { door, slot: None, place: None }
    }

    /// Waits until it is the turn of the question that this is about.
    pub async fn ready(&mut self, turn: &Turn) -> Result<(), Refused> {
        self.turn(&turn.key, &turn.lane).await
    }

    /// Puts one question, or asks for its next page. Every final HTTP status is an answer.
    ///
    /// Whatever the guard lets pass is a read, which may be repeated: there is nothing else to tell apart here.
    pub async fn ask(&mut self, ask: Ask) -> Result<Answered, Refused> {
        let door = self.door;
        let key = door.may_leave(&ask)?;
        let lane = door.lane(&key);
        let mut tried = Tried::default();
        loop {
            self.turn(&key, &lane).await?;
            tried.attempts += 1;
            lock(&door.tally).sent(ask.api, tried.attempts > 1);
            let sent = door.transport.send(&ask, tried.refused_token.take()).await;
            let received_at = door.clock.now();
            let next = match sent {
                Ok(answer) => tried.answered(door, &ask, answer, received_at, &lane),
                Err(error) => tried.unanswered(door, error),
            };
            match next {
                Next::End(ended) => return ended,
                Next::Again => {}
                Next::After(wait) => {
                    self.place = None;
                    door.clock.sleep(wait).await;
                }
            }
        }
    }

    /// Gets a slot under the key and a place, and waits if all are to wait.
    async fn turn(&mut self, key: &Key, lane: &Arc<Lane>) -> Result<(), Refused> {
        let door = self.door;
        loop {
            let was_inside = self.slot.as_ref().is_some_and(|(held, _)| held == key);
            if !was_inside || !self.slot.as_ref().is_some_and(|(_, slot)| slot.may_stay()) {
                (self.place, self.slot) = (None, None);
                let slot = lane.enter(was_inside).await;
                let slot = slot.ok_or_else(|| Refused::GivenUp { key: key.to_string() })?;
                self.slot = Some((key.clone(), slot));
            }
            if let Some(until) = lane.take_owed() {
                self.place = None;
                let _paused = door.pause(key.api(), lane);
                let wait = (until - door.clock.now()).to_std().unwrap_or_default();
                let jitter = lock(&door.luck).at_most(door.pace.jitter);
                door.clock.sleep(wait + jitter).await;
            } else if self.place.is_none() {
                // the service may ask to wait meanwhile: look again
                self.place = Some(door.place(key.api()).await);
            } else {
                return Ok(());
            }
        }
    }
}

impl Tried {
    fn unanswered(&mut self, door: &Door, error: TransportError) -> Next {
        self.failed += 1;
        let may_repeat = error.is_worth_repeating() && self.failed < door.pace.tries_on_failure;
        let wait = lock(&door.luck).up_to(door.pace.backoff(self.failed));
        match self.wait(door, wait, may_repeat) {
            true => Next::After(wait),
            false => Next::End(Err(Refused::Failed { error, attempts: self.attempts })),
        }
    }

    fn answered(
        &mut self,
        door: &Door,
        ask: &Ask,
        answer: Answer,
        received_at: DateTime<Utc>,
        lane: &Arc<Lane>,
    ) -> Next {
        let status = answer.status;
        let most = door.pace.longest_asked_wait;
        if let Some(wait) = told::quota_used_up(&answer).filter(|wait| *wait <= most) {
            lane.owe(after(received_at, wait));
        }
        let (may_repeat, nth) = match status {
            429 => {
                self.throttled += 1;
                lock(&door.tally).throttled(ask.api);
                lane.throttled();
                (self.throttled < door.pace.tries, self.throttled)
            }
            408 | 500 | 502 | 503 | 504 => {
                self.failed += 1;
                (self.failed < door.tries(ask.api, status), self.failed)
            }
            _ => {
                lane.answered(told::is_low(&answer));
                return self.settled(answer, received_at);
            }
        };
        let told = told::retry_after(&answer, received_at);
        let wait = told.unwrap_or_else(|| lock(&door.luck).up_to(door.pace.backoff(nth)));
        // what the service says to one, it says to all that it counts together
        let is_for_all = status == 429 || told.is_some();
        if is_for_all && wait <= most {
            lane.owe(after(received_at, wait));
        }
        match (self.wait(door, wait, may_repeat && wait <= most), is_for_all) {
            (true, true) => return Next::Again,
            (true, false) => return Next::After(wait),
            (false, _) if status == 429 => lane.exhausted(),
            (false, _) => {}
        }
        Next::End(Ok(Answered { answer, attempts: self.attempts, received_at }))
    }

    /// An answer that no wait would change.
    fn settled(&mut self, answer: Answer, received_at: DateTime<Utc>) -> Next {
        match answer.status {
            300..=399 => Next::End(Err(Refused::Redirect { status: answer.status })),
            401 if !self.had_other_token && !answer.wants_claims() => {
                self.had_other_token = true;
                self.refused_token = Some(answer.token);
                Next::Again
            }
            _ => Next::End(Ok(Answered { answer, attempts: self.attempts, received_at })),
        }
    }

    /// Whether to wait so long and try again.
    fn wait(&mut self, door: &Door, wait: Duration, may_repeat: bool) -> bool {
        let waited = self.waited.saturating_add(wait);
        let is_worth_it = may_repeat && waited <= door.pace.patience;
        if is_worth_it {
            self.waited = waited;
        }
        is_worth_it
    }
}

fn after(at: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
    at.checked_add_signed(wait).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
