//! What is emitted when an attribute is wrong: its errors, and the user's item as it was, so that they see only these.

use proc_macro2::TokenStream;

pub(crate) fn fallback(error: &syn::Error, item: TokenStream) -> TokenStream {
    let mut tokens = error.to_compile_error();
    tokens.extend(item);
    tokens
}
