//! Secrets that this server made: random, kept as digests, bounded in number, gone with their time.

use super::digest::{Digest, random_secret};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Tickets or sessions.
pub(super) struct Issued<T> {
    held: Mutex<HashMap<Digest, Held<T>>>,
}

struct Held<T> {
    value: T,
    owner: Digest,
    made: Instant,
    until: Instant,
}

/// How many there may be, of everybody.
pub(super) const MOST: usize = 4_096;
/// And of one token, so that it cannot take all from the others; past it the token's oldest goes.
pub(super) const MOST_OF_ONE: usize = 256;

impl<T: Clone> Issued<T> {
    pub(super) fn new() -> Self {
        Self { held: Mutex::default() }
    }

    /// A new secret for the owner of a token; none when there are too many, or the system gives no randomness.
    pub(super) fn issue(&self, owner: Digest, life: Duration, value: T) -> Option<String> {
        let secret = random_secret()?;
        let now = Instant::now();
        let mut held = self.lock();
        make_room(&mut held, owner, now);
        if held.len() >= MOST {
            return None;
        }
        held.insert(Digest::of(&secret), Held { value, owner, made: now, until: now + life });
        Some(secret)
    }

    pub(super) fn get(&self, secret: &Digest) -> Option<T> {
        self.lock().get(secret).filter(|held| Instant::now() < held.until).map(|held| held.value.clone())
    }

    /// The same, once: it is gone then.
    pub(super) fn take(&self, secret: &Digest) -> Option<T> {
        self.lock().remove(secret).filter(|held| Instant::now() < held.until).map(|held| held.value)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Held<T>>> {
        // Nothing panics in between; a map is whole in any case.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room<T>(held: &mut HashMap<Digest, Held<T>>, owner: Digest, now: Instant) {
    held.retain(|_, held| now < held.until);
    let of_owner = || held.iter().filter(|(_, held)| held.owner == owner);
    if of_owner().count() >= MOST_OF_ONE {
        let oldest = of_owner().min_by_key(|(_, held)| held.made).map(|(secret, _)| *secret);
        oldest.map(|secret| held.remove(&secret));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn what_was_issued_is_had_until_its_time_is_over() {
        let issued = Issued::new();
        let secret = issued.issue(Digest::of("a"), LIFE, 7).expect("secret");
        tokio::time::advance(LIFE - Duration::from_millis(1)).await;
        assert_eq!(issued.get(&Digest::of(&secret)), Some(7));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!((issued.get(&Digest::of(&secret)), issued.take(&Digest::of(&secret))), (None, None));
    }

    #[test]
    fn what_is_taken_once_is_not_there_again() {
        let issued = Issued::new();
        let secret = Digest::of(&issued.issue(Digest::of("a"), LIFE, 7).expect("secret"));
        assert_eq!((issued.take(&secret), issued.take(&secret)), (Some(7), None));
    }

    #[test]
    fn one_owner_loses_its_own_oldest_and_all_together_have_a_bound() {
        let issued = Issued::new();
        let mut of_one = (0..=MOST_OF_ONE).map(|n| issued.issue(Digest::of("a"), LIFE, n).expect("secret"));
        let (first, second) = (of_one.next().expect("first"), of_one.next().expect("second"));
        assert_eq!(of_one.count(), MOST_OF_ONE - 1);
        assert_eq!((issued.get(&Digest::of(&first)), issued.get(&Digest::of(&second))), (None, Some(1)));
        let others = (0..MOST).filter(|n| issued.issue(Digest::of(&n.to_string()), LIFE, *n).is_some());
        assert_eq!(others.count(), MOST - MOST_OF_ONE);
        assert_eq!(issued.get(&Digest::of(&second)), Some(1), "others take nothing away");
    }
}
