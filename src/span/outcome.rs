//! How work ends, and how that is read from what it returned.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::error::Error;
use std::fmt::{Display, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use super::AgentSpan;
use crate::semconv::outcome;

/// From nothing said to the gravest; a later word only counts if it is graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Pending,
    Ok,
    Cancelled,
    Panicked,
    Error,
    TimedOut,
}

impl Ending {
    const ALL: [Self; 6] = [Self::Pending, Self::Ok, Self::Cancelled, Self::Panicked, Self::Error, Self::TimedOut];

    pub(super) fn from_u8(index: u8) -> Self {
        Self::ALL[usize::from(index)]
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => outcome::OK,
            Self::Pending | Self::Cancelled => outcome::CANCELLED,
            Self::Panicked => outcome::PANICKED,
            Self::TimedOut => outcome::TIMED_OUT,
            Self::Error => outcome::ERROR,
        }
    }
}

/// What a finished piece of work says about itself.
///
/// A `Result` failed if it is `Err`; an `Option` is fine either way, and so are the other types of the standard
/// library. For a type of your own an empty `impl` means that it is always fine.
///
/// ```
/// use spanwright::span::{Failure, Outcome};
///
/// enum Reply {
///     Answer(String),
///     Refused(String),
/// }
///
/// impl Outcome for Reply {
///     fn failure(&self) -> Option<Failure> {
///         match self {
///             Reply::Answer(_) => None,
///             Reply::Refused(why) => Some(Failure::new("refused", why)),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how the work ended",
    note = "implement `spanwright::span::Outcome` for it (an empty impl means: always fine)",
    note = "or read the output yourself with `run_with` or `in_scope_with`; work that never returns needs one of these too"
)]
pub trait Outcome {
    /// Why it failed, if it did.
    fn failure(&self) -> Option<Failure> {
        None
    }
}

/// Why a piece of work failed: a class to group by, and a message to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    error_type: Cow<'static, str>,
    message: String,
}

impl Failure {
    /// `error_type` is a class with few values (a code, a type's name); the message is free.
    pub fn new(error_type: impl Into<Cow<'static, str>>, message: impl Display) -> Self {
        Self { error_type: error_type.into(), message: shown(&message) }
    }

    /// An error as it stands: the name of its type and its message. The reports of `anyhow` and `eyre` name their causes;
    /// of others [`with_sources`](Self::with_sources) does.
    pub fn of<E: Display + ?Sized>(error: &E) -> Self {
        let class = error_type::<E>();
        match class {
            "anyhow::Error" | "eyre::Report" => Self::new(class, format_args!("{error:#}")),
            _ => Self::new(class, error),
        }
    }

    /// An error with what caused it: `a: b: c`. A cause that the message names already is not named again.
    pub fn with_sources<E: Error + ?Sized>(error: &E) -> Self {
        Self::new(error_type::<E>(), chain(shown(error), error.source()))
    }

    /// The class alone, where the message must not be kept.
    #[must_use]
    pub fn without_message(self) -> Self {
        Self { message: String::new(), ..self }
    }

    /// The class, recorded as `error.type`.
    #[must_use]
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// The message, recorded as `otel.status_description`; empty if it is not to be kept.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// An error that panics when it is asked what it is, is an error all the same, and the panic not the program's.
fn shown(error: &(impl Display + ?Sized)) -> String {
    catch_unwind(AssertUnwindSafe(|| error.to_string())).unwrap_or_default()
}

/// Causes that are followed: an error may, by mistake, name itself as its own.
const MAX_SOURCES: usize = 32;

fn chain(mut message: String, source: Option<&(dyn Error + 'static)>) -> String {
    for cause in std::iter::successors(source, |&cause| cause.source()).take(MAX_SOURCES) {
        let cause = shown(cause);
        if !message.contains(&cause) {
            // A `String` takes what it is given.
            let _ = write!(message, ": {cause}");
        }
    }
    message
}

/// The type's path. Texts and boxed errors have no class of their own: `_OTHER`, as the conventions ask.
pub(crate) fn error_type<E: ?Sized>() -> &'static str {
    let name = type_name::<E>();
    let path = name.split('<').next().unwrap_or(name);
    let nameless = name.contains("dyn ") || name.starts_with(['&', '(', '[']) || path == type_name::<String>();
    if nameless { "_OTHER" } else { path }
}

pub(crate) fn judge<T: Outcome + ?Sized>(span: &AgentSpan, output: &T) {
    if let Some(failure) = output.failure() {
        span.fail_with(&failure);
    }
}

impl<T, E: Display> Outcome for Result<T, E> {
    fn failure(&self) -> Option<Failure> {
        self.as_ref().err().map(Failure::of)
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<T: Outcome + ?Sized> Outcome for $pointer {
            fn failure(&self) -> Option<Failure> {
                (**self).failure()
            }
        }
    )*};
}

macro_rules! always_fine {
    ($(($($generics:tt)*) $type:ty;)*) => {
        $(impl<$($generics)*> Outcome for $type {})*
    };
}

impl Outcome for std::convert::Infallible {}

forward!(&T, Box<T>, Rc<T>, Arc<T>);

always_fine! {
    () (); () bool; () char; () str; () String; () f32; () f64; () serde_json::Value; () std::path::PathBuf;
    () i8; () i16; () i32; () i64; () i128; () isize; () u8; () u16; () u32; () u64; () u128; () usize;
    (T) Option<T>; (T) [T]; (T, const N: usize) [T; N]; (T) Vec<T>; (T) VecDeque<T>;
    (K, V) BTreeMap<K, V>; (T) BTreeSet<T>; (K, V, S) HashMap<K, V, S>; (T, S) HashSet<T, S>;
    (A) (A,); (A, B) (A, B); (A, B, C) (A, B, C); (A, B, C, D) (A, B, C, D);
    (T: ToOwned + ?Sized) Cow<'_, T>; () std::time::Duration;
}

#[cfg(test)]
mod tests {
    use super::error_type;

    #[test]
    fn an_error_is_classed_by_its_type_and_a_text_by_none() {
        assert_eq!(error_type::<std::io::Error>(), "std::io::error::Error");
        assert_eq!(error_type::<String>(), "_OTHER");
        assert_eq!(error_type::<&str>(), "_OTHER");
        assert_eq!(error_type::<Box<dyn std::error::Error + Send>>(), "_OTHER");
        assert_eq!(error_type::<Result<String, u8>>(), "core::result::Result");
    }
}
