//! The trace that work belongs to, as W3C Trace Context writes it: read from where a request came in, written to where
//! one goes out.

mod parent;

pub use parent::TraceContext;
