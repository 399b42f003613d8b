//! One answer that several give together.

use crate::{Answer, Error, Pending};
use std::sync::{Arc, Mutex, PoisonError};

/// One of those who give an answer together: it is given with the last of them, and is the first error that one of them
/// had. Who goes without a word had none to give: `is_closed`.
#[derive(Debug)]
pub(crate) struct Share(Option<Arc<Joint>>);

#[derive(Debug)]
struct Joint {
    answer: Answer<()>,
    error: Mutex<Option<Error>>,
}

impl Share {
    /// An answer, and this many who give it together.
    pub(crate) fn among(count: usize) -> (Vec<Self>, Pending<()>) {
        let (answer, pending) = Pending::asked();
        let joint = Arc::new(Joint { answer, error: Mutex::default() });
        ((0..count).map(|_| Self(Some(joint.clone()))).collect(), pending)
    }

    pub(crate) fn give(mut self, word: Result<(), Error>) {
        self.say(word);
    }

    fn say(&mut self, word: Result<(), Error>) {
        let Some(joint) = self.0.take() else { return };
        if let Err(error) = word {
            joint.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        // The last share holds the joint alone; of two that go at once, one does.
        if let Some(joint) = Arc::into_inner(joint) {
            joint.tell();
        }
    }
}

impl Joint {
    fn tell(self) {
        let error = self.error.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.answer.give(error.map_or(Ok(()), Err));
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.0.is_some() {
            self.say(Err(Error::closed("the delivery has shut down")));
        }
    }
}
