//! Tokens into money: what a call used, what that costs by which price list, and the sums. Pure but for reading a price
//! list from a file: no threads, no clock.
//!
//! The gate writes prices and sums into every [`TokenUsage`](crate::event::TokenUsage) by these rules, whoever emitted
//! it. A [`Ledger`] adds up any stream of events by step, execution, model and session. `docs/prices.md` has the rules
//! in words.
//!
//! ```
//! use spanwright::{event::TokenUsage, ledger::Prices};
//!
//! // 24,540 of 25,978 tokens came from the cache: 6.6 times cheaper than without looking.
//! let usage = TokenUsage::new(25_978, 13, 25_991, 0).model("gemini-3.5-flash").cached_tokens(24_540);
//! let cost = Prices::builtin().cost_usd(&usage, None).unwrap();
//! assert_eq!(format!("{cost:.6}"), "0.005955");
//! // What nobody knows the price of has none.
//! assert_eq!(Prices::builtin().cost_usd(&usage.model("home-made"), None), None);
//! ```

mod account;
mod book;
mod call;
mod money;
mod name;
mod prices;
mod rates;
mod read;
mod spending;
mod usage;

pub(crate) use account::Account;
pub use book::Ledger;
pub use prices::{Price, Prices};
pub use spending::Spending;
