//! Idempotency keys: how far the body of each has come, so that a retry takes nothing twice (draft-ietf-httpapi-idempotency-key-header).
//! In memory: a key does not outlive the process.

use super::{
    limits::{KEY_AGE, KEYS, KEYS_BYTES},
    progress::Progress,
};
use crate::{ExecutionId, Text};
use std::{
    collections::{BTreeMap, HashMap},
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// A key, whose it is, and of which execution where the path names one: elsewhere the same word is another key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) tenant: Option<Text>,
    pub(super) execution_id: Option<ExecutionId>,
    pub(super) key: Text,
}

/// The keys that are remembered. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Name, Entry>,
    /// Those whose body is not being read now, the one that was used longest ago first.
    resting: BTreeMap<u64, Name>,
    bytes: usize,
    count: u64,
}

#[derive(Debug)]
enum Entry {
    /// A request with this key is under way.
    Running,
    Resting(Box<Rest>),
}

#[derive(Debug)]
struct Rest {
    progress: Progress,
    number: u64,
    since: Instant,
    bytes: usize,
}

/// A body that is being read. Where it came with a key, how far it came is remembered when this is dropped, however the
/// request ends.
#[derive(Debug, Default)]
pub(super) struct Lease {
    home: Option<(Keys, Name)>,
    progress: Progress,
}

impl Keys {
    /// Takes a key into use, with how far its body has come. None while another request has it.
    pub(super) fn begin(&self, name: Name) -> Option<Lease> {
        let mut table = self.table();
        table.forget_old();
        if matches!(table.entries.get(&name), Some(Entry::Running)) {
            return None;
        }
        let progress = table.take(&name).unwrap_or_default();
        table.entries.insert(name.clone(), Entry::Running);
        drop(table);
        Some(Lease { home: Some((self.clone(), name)), progress })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Lease {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((keys, name)) = self.home.take() {
            keys.table().rest(name, std::mem::take(&mut self.progress));
        }
    }
}

impl Table {
    fn take(&mut self, name: &Name) -> Option<Progress> {
        let Some(Entry::Resting(rest)) = self.entries.remove(name) else { return None };
        self.resting.remove(&rest.number);
        self.bytes -= rest.bytes;
        Some(rest.progress)
    }

    fn rest(&mut self, name: Name, progress: Progress) {
        if progress.events() == 0 && !progress.whole {
            self.entries.remove(&name);
            return;
        }
        self.count += 1;
        let bytes = progress.size_bytes() + 2 * (size_of::<Name>() + name.key.len()) + size_of::<Rest>();
        let rest = Rest { progress, number: self.count, since: Instant::now(), bytes };
        self.bytes += bytes;
        self.resting.insert(self.count, name.clone());
        self.entries.insert(name, Entry::Resting(Box::new(rest)));
        while self.resting.len() > KEYS || self.bytes > KEYS_BYTES {
            self.forget_oldest();
        }
    }

    fn forget_old(&mut self) {
        while let Some((_, name)) = self.resting.first_key_value()
            && let Some(Entry::Resting(rest)) = self.entries.get(name)
            && rest.since.elapsed() > KEY_AGE
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, name)) = self.resting.first_key_value() {
            let name = name.clone();
            drop(self.take(&name));
        }
    }
}
