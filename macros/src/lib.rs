//! The attributes of spanwright.
