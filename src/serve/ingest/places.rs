//! How many bodies are read at once, of all and of one tenant.

use super::limits::{AT_ONCE, OF_ONE_TENANT};
use crate::Text;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Bodies that are being read, by tenant. One tenant cannot take the places of all others by sending slowly; who has no
/// tenant has them all.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<Option<Text>, usize>>);

/// One of them; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    places: &'a Places,
    tenant: Option<Text>,
}

impl Places {
    /// A place for a body of this tenant; else why there is none.
    pub(super) fn take(&self, tenant: Option<&Text>) -> Result<Place<'_>, String> {
        let mut taken = self.lock();
        if taken.values().sum::<usize>() >= AT_ONCE {
            return Err(format!("{AT_ONCE} bodies are being read already"));
        }
        let own = taken.entry(tenant.cloned()).or_default();
        if tenant.is_some() && *own >= OF_ONE_TENANT {
            return Err(format!("{OF_ONE_TENANT} bodies of this tenant are being read already"));
        }
        *own += 1;
        Ok(Place { places: self, tenant: tenant.cloned() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<Text>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        if let Some(own) = taken.get_mut(&self.tenant) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<'a>(places: &'a Places, tenant: Option<&str>, count: usize) -> Vec<Place<'a>> {
        let tenant = tenant.map(Text::from);
        (0..count).map_while(|_| places.take(tenant.as_ref()).ok()).collect()
    }

    #[test]
    fn a_tenant_that_sends_much_at_once_leaves_places_to_the_others() {
        let places = Places::default();
        let mut acme = take(&places, Some("acme"), AT_ONCE);
        assert_eq!(acme.len(), OF_ONE_TENANT);
        let why = places.take(Some(&Text::from("acme"))).expect_err("its share is taken");
        assert!(why.contains("of this tenant"), "{why}");
        let other = take(&places, Some("other"), AT_ONCE);
        assert_eq!(other.len(), AT_ONCE - OF_ONE_TENANT);
        assert!(places.take(None).is_err(), "all are taken");
        acme.pop();
        assert_eq!(take(&places, Some("acme"), AT_ONCE).len(), 1, "one was given back");
    }

    #[test]
    fn who_has_no_tenant_has_all_places_and_nothing_is_kept_of_who_left() {
        let places = Places::default();
        assert_eq!(take(&places, None, 2 * AT_ONCE).len(), AT_ONCE);
        assert!(places.lock().is_empty());
    }
}
