//! The system's words, taken off the head of a conversation: the convention has them by themselves.

use super::{Message, Part};

/// Messages of the role `system` that lead, and the others. A part of theirs that is no text stays where it is, since
/// instructions are texts only.
pub(super) fn split<'m, 'a>(messages: &'m [Message<'a>]) -> (&'m [Message<'a>], &'m [Message<'a>]) {
    let is_system = |message: &Message<'_>| {
        message.role == "system" && message.parts.iter().all(|part| matches!(part, Part::Text(_)))
    };
    let count = messages.iter().take_while(|message| is_system(message)).count();
    messages.split_at(count)
}
