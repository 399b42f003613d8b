//! What an evaluator found.

/// What a function under `#[evaluator]` returns, if its span should say how good something was.
///
/// Numbers are their own score; of a `bool` it is 1 (`pass`) or 0 (`fail`).
///
/// ```
/// use spanwright::span::Score;
///
/// struct Relevance {
///     stars: u8,
///     why: String,
/// }
///
/// impl Score for Relevance {
///     fn score(&self) -> Option<f64> {
///         Some(f64::from(self.stars) / 5.0)
///     }
///     fn explanation(&self) -> Option<&str> {
///         Some(&self.why)
///     }
/// }
/// ```
pub trait Score {
    /// How good, on the evaluation's own scale. None where there is only a word for it, or no judgement.
    fn score(&self) -> Option<f64>;

    /// The same as a word: `pass`, `relevant`, `incorrect` ….
    fn label(&self) -> Option<&str> {
        None
    }

    /// Why.
    fn explanation(&self) -> Option<&str> {
        None
    }
}

impl Score for bool {
    fn score(&self) -> Option<f64> {
        Some(f64::from(u8::from(*self)))
    }

    fn label(&self) -> Option<&str> {
        Some(if *self { "pass" } else { "fail" })
    }
}

impl<T: Score> Score for Option<T> {
    fn score(&self) -> Option<f64> {
        self.as_ref()?.score()
    }

    fn label(&self) -> Option<&str> {
        self.as_ref()?.label()
    }

    fn explanation(&self) -> Option<&str> {
        self.as_ref()?.explanation()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Score for $number {
            fn score(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )*};
}

numbers!(f32, f64, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);
