//! What is known of a value by the traits it happens to have, without asking for them.
//!
//! Method lookup takes the first `impl` that holds, and tries those on more references first. So `(&&&Arg(&x)).json()`
//! is serde's JSON if `x` has it, else its `Debug` text, else `null`.
//! The macros import this whole module, for they cannot know which of its traits a call will need.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;

use super::{AgentSpan, ChunkReader, Decision, Failure, Outcome, Score, Verdict, error_type};

/// An argument.
#[derive(Debug)]
pub struct Arg<'a, T: ?Sized>(pub &'a T);

/// What a function returned.
#[derive(Debug)]
pub struct Out<'a, T: ?Sized>(pub &'a T);

/// What the user's code says of a value; nobody asked it to but us, so a panic in it is not the program's.
fn contained<A>(ask: impl FnOnce() -> A) -> Option<A> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}

/// Declares one question: the answers from the most to the least that a type may offer, and the one for a value whose
/// code panics.
macro_rules! question {
    (#[$doc:meta] $method:ident($value:ident) -> $answer:ty, else $mute:expr;
     $($trait:ident: [$($generics:tt)*] $on:ty $(where [$($bound:tt)*])? => $body:expr;)*) => {$(
        #[$doc]
        pub trait $trait {
            /// The answer.
            fn $method(&self) -> $answer;
        }

        impl<$($generics)*> $trait for $on $(where $($bound)*)? {
            fn $method(&self) -> $answer {
                let $value = self.0;
                contained(|| $body).unwrap_or_else(|| $mute)
            }
        }
    )*};
}

question! {
    /// An argument as JSON.
    json(value) -> String, else unknown(value);
    ArgSerialize: ['a, T: Serialize] &&Arg<'a, T> => serialized(value);
    ArgDebug: ['a, T: Debug] &Arg<'a, T> => debugged(value);
    ArgNamed: ['a, T] Arg<'a, T> => unknown(value);
}

question! {
    /// An argument that is a text.
    text(value) -> Option<String>, else None;
    TextSome: ['a, T: AsRef<str>] &Arg<'a, T> => Some(value.as_ref().to_owned());
    TextNone: ['a, T] Arg<'a, T> => nothing(value);
}

question! {
    /// An argument that has a name: a model is often an enum.
    label(value) -> Option<String>, else None;
    LabelText: ['a, T: AsRef<str>] &&Arg<'a, T> => Some(value.as_ref().to_owned());
    LabelDisplay: ['a, T: Display] &Arg<'a, T> => Some(value.to_string());
    LabelNone: ['a, T] Arg<'a, T> => nothing(value);
}

question! {
    /// What came out, as JSON; of a `Result` what was `Ok`.
    json(value) -> Option<String>, else Some(unknown(value));
    OkSerialize: ['a, T: Serialize, E] &&&&&Out<'a, Result<T, E>> => value.as_ref().ok().map(serialized);
    OkDebug: ['a, T: Debug, E] &&&&Out<'a, Result<T, E>> => value.as_ref().ok().map(debugged);
    OkAny: ['a, T, E] &&&Out<'a, Result<T, E>> => nothing(value);
    OutSerialize: ['a, T: Serialize] &&Out<'a, T> => Some(serialized(value));
    OutDebug: ['a, T: Debug] &Out<'a, T> => Some(debugged(value));
    OutAny: ['a, T] Out<'a, T> => nothing(value);
}

question! {
    /// Why the function failed, if it did.
    failure(value) -> Option<Failure>, else Some(mute_failure::<()>(&()));
    FailureSources: ['a, T, E: Error] &&&&&Out<'a, Result<T, E>> => value.as_ref().err().map(Failure::with_sources);
    FailureBoxed: ['a, T, E] &&&&Out<'a, Result<T, E>> where [E: Deref<Target: Error>]
        => value.as_ref().err().map(boxed_failure);
    FailureSaid: ['a, T: Outcome] &&&Out<'a, T> => value.failure();
    FailureDebug: ['a, T, E: Debug] &&Out<'a, Result<T, E>> => value.as_ref().err().map(debug_failure);
    FailureMute: ['a, T, E] &Out<'a, Result<T, E>> => value.as_ref().err().map(mute_failure);
    FailureNone: ['a, T] Out<'a, T> => nothing(value);
}

question! {
    /// How many records a memory returned.
    count(value) -> Option<usize>, else None;
    CountOk: ['a, T, E] &&&Out<'a, Result<T, E>> where [&'a T: IntoIterator<IntoIter: ExactSizeIterator>]
        => value.as_ref().ok().map(counted);
    CountNoResult: ['a, T, E] &&Out<'a, Result<T, E>> => nothing(value);
    CountSome: ['a, T] &Out<'a, T> where [&'a T: IntoIterator<IntoIter: ExactSizeIterator>] => Some(counted(value));
    CountNone: ['a, T] Out<'a, T> => nothing(value);
}

question! {
    /// What a guardrail decided.
    verdict(value) -> Option<Decided>, else None;
    VerdictOk: ['a, T: Verdict, E] &&Out<'a, Result<T, E>> => value.as_ref().ok().map(decided);
    VerdictSome: ['a, T: Verdict] &Out<'a, T> => Some(decided(value));
    VerdictNone: ['a, T] Out<'a, T> => nothing(value);
}

question! {
    /// What an evaluator found.
    score(value) -> Option<Scored>, else None;
    ScoreOk: ['a, T: Score, E] &&Out<'a, Result<T, E>> => value.as_ref().ok().map(scored);
    ScoreSome: ['a, T: Score] &Out<'a, T> => Some(scored(value));
    ScoreNone: ['a, T] Out<'a, T> => nothing(value);
}

/// Declares how the items of a stream are read: the ways from the most to the least that a type may offer.
macro_rules! items {
    ($($trait:ident: [$($generics:tt)*] $on:ty, |$value:ident, $reader:ident, $span:ident| $body:expr;)*) => {$(
        /// An item of a stream.
        pub trait $trait {
            /// Tells what the item says.
            fn tell(&self, reader: &mut ChunkReader, span: &AgentSpan);
        }

        impl<$($generics)*> $trait for $on {
            fn tell(&self, $reader: &mut ChunkReader, $span: &AgentSpan) {
                let $value = self.0;
                let _ = contained(|| $body);
            }
        }
    )*};
}

items! {
    TellOkText: ['a, T: AsRef<str>, E] &&&&&Out<'a, Result<T, E>>, |item, reader, span| {
        if let Ok(text) = item { reader.text(span, text.as_ref()) }
    };
    TellOkChunk: ['a, T: Serialize, E] &&&&Out<'a, Result<T, E>>, |item, reader, span| {
        if let Ok(chunk) = item { reader.item(span, chunk) }
    };
    TellNoResult: ['a, T, E] &&&Out<'a, Result<T, E>>, |item, _reader, _span| { let _ = item; };
    TellText: ['a, T: AsRef<str>] &&Out<'a, T>, |item, reader, span| reader.text(span, item.as_ref());
    TellChunk: ['a, T: Serialize] &Out<'a, T>, |item, reader, span| reader.item(span, item);
    TellNothing: ['a, T] Out<'a, T>, |item, _reader, _span| { let _ = item; };
}

/// A score, taken off its type.
#[derive(Debug)]
pub struct Scored {
    pub(crate) score: Option<f64>,
    pub(crate) label: Option<String>,
    pub(crate) explanation: Option<String>,
}

/// A verdict, taken off its type.
#[derive(Debug)]
pub struct Decided {
    pub(crate) decision: Decision,
    pub(crate) reason: Option<String>,
    pub(crate) score: Option<f64>,
}

fn serialized<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| unknown(value))
}

fn debugged<T: Debug>(value: &T) -> String {
    serialized(&format!("{value:?}"))
}

fn unknown<T>(_: &T) -> String {
    "null".to_owned()
}

fn nothing<T, A>(_: &T) -> Option<A> {
    None
}

/// Of a box or a report: the class is that of what bears the error, which is all that is known of its type.
fn boxed_failure<E: Deref<Target: Error>>(error: &E) -> Failure {
    Failure::new(error_type::<E>(), Failure::with_sources(&**error).message())
}

fn debug_failure<E: Debug>(error: &E) -> Failure {
    Failure::new(error_type::<E>(), format_args!("{error:?}"))
}

fn mute_failure<E>(_: &E) -> Failure {
    Failure::new(error_type::<E>(), "failed")
}

fn counted<I: IntoIterator<IntoIter: ExactSizeIterator>>(records: I) -> usize {
    records.into_iter().len()
}

fn decided<V: Verdict>(verdict: &V) -> Decided {
    Decided { decision: verdict.decision(), reason: verdict.reason().map(str::to_owned), score: verdict.score() }
}

fn scored<S: Score>(score: &S) -> Scored {
    let (label, explanation) = (score.label().map(str::to_owned), score.explanation().map(str::to_owned));
    Scored { score: score.score(), label, explanation }
}
