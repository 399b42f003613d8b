//! What is refused, in which words, and what is emitted all the same.

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::parse;
use crate::expand::attribute;
use crate::kind::{Kind, Verb};

/// Reads `args` of `kind` over one function and returns what is wrong with them, in order.
fn errors(kind: Kind, args: TokenStream) -> Vec<String> {
    let function = syn::parse2(quote!(
        fn search(query: &str, limit: usize) {}
    ));
    match parse(kind, args, &function.unwrap()) {
        Ok(_) => Vec::new(),
        Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
    }
}

#[track_caller]
fn check(kind: Kind, args: TokenStream, message: &str) {
    assert_eq!(errors(kind, args), [message]);
}

#[test]
fn what_is_right_is_read() {
    let function = syn::parse2(quote!(
        fn f(a: u8, b: u8) {}
    ));
    let tokens = quote!(recall, name = "notes", skip(a), skip(b), fields(x.y.type = a + b, "odd key" = {b},),);
    let args = parse(Kind::Memory, tokens, &function.unwrap()).ok().unwrap();
    assert_eq!((args.verb, args.name.unwrap().value()), (Some(Verb::Recall), "notes".to_owned()));
    assert_eq!(args.skip.len(), 2);
    assert_eq!(args.fields.iter().map(|field| field.key.as_str()).collect::<Vec<_>>(), ["x.y.type", "odd key"]);
}

#[test]
fn an_unknown_word_is_told_what_is_known() {
    let takes = "it takes `name = \"..\"`, `skip(..)`, `redact(..)`, `fields(..)`, `ret = false`, `err = false`";
    check(Kind::Tool, quote!(nmae = "x"), &format!("#[tool] does not know `nmae`; {takes}"));
    check(Kind::Step, quote!(recall), &format!("#[step] does not know `recall`; {takes}"));
    check(Kind::Agent, quote!("research"), &format!("#[agent] does not know this; {takes}"));
}

#[test]
fn a_value_that_is_missing_or_wrong_is_shown() {
    check(Kind::Tool, quote!(name), "`name` needs a value: write `name = \"search\"`");
    check(Kind::Tool, quote!(name = ), "`name` needs a value: write `name = \"search\"`");
    check(Kind::Tool, quote!(name = 7), "`name` is a text in quotes: write `name = \"search\"`");
    check(Kind::Llm, quote!(model), "`model` needs a value: write `model = \"gpt-4o\"`");
    check(Kind::Tool, quote!(skip), "`skip` needs parentheses: write `skip(secret)`");
    check(Kind::Tool, quote!(skip()), "`skip` names nothing: write `skip(secret)`");
    check(Kind::Tool, quote!(redact()), "`redact` names nothing: write `redact(secret)`");
    check(Kind::Tool, quote!(ret = 1), "`ret` is `true` or `false`");
    check(Kind::Tool, quote!(name = " "), "`name` is empty: leave it out, and the function's own name is taken");
    check(Kind::Tool, quote!(fields(a.b)), "the field `a.b` needs a value: write `a.b = expr`");
}

#[test]
fn a_word_in_the_wrong_place_is_sent_to_the_right_one() {
    check(Kind::Tool, quote!(model = "gpt-4o"), "`model` belongs to #[llm] and #[embedding]");
    check(Kind::Tool, quote!(skip(qeury)), "search has no argument `qeury`");
    check(Kind::Tool, quote!(redact(self)), "`self` is never kept");
    check(Kind::Tool, quote!(err(Debug)), "`err` has no options: write `err`, which is the default, or `err = false`");
    check(Kind::Tool, quote!(name = "a" skip(query)), "a comma goes between arguments");
}

#[test]
fn a_word_said_twice_is_refused() {
    let message = "says again what was said before; once is enough";
    check(Kind::Tool, quote!(name = "a", name = "b"), &format!("`name` {message}"));
    check(Kind::Memory, quote!(recall, store), &format!("`store` {message}"));
    check(Kind::Tool, quote!(ret, ret = false), &format!("`ret` {message}"));
    let twice = "`query` is named twice: `skip` leaves it out, `redact` shows that it was there";
    check(Kind::Tool, quote!(skip(query), redact(query)), twice);
    check(Kind::Tool, quote!(fields(a.b = 1), fields(a.b = 2)), "the field `a.b` has a value already");
}

#[test]
fn a_memory_says_what_is_done_with_it() {
    check(Kind::Memory, quote!(), "say what is done with the memory: #[memory(recall)], store, update or forget");
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    assert_eq!(errors(Kind::Tool, quote!(name = 7, x, skip(query, y), model = 1)).len(), 4);
}

#[track_caller]
fn refused(args: TokenStream, item: TokenStream, message: &str) {
    let emitted = attribute(Kind::Tool, args, item.clone()).to_string();
    assert!(emitted.contains(message), "{emitted}");
    assert!(emitted.ends_with(&item.to_string()), "the item is gone: {emitted}");
}

#[test]
fn a_refused_item_stands_as_it_was_beside_its_error() {
    let function = quote!(
        fn f() {}
    );
    refused(quote!(nmae), function, "#[tool] does not know `nmae`");
    refused(
        quote!(),
        quote!(
            struct Search;
        ),
        "goes on a function or a method",
    );
    refused(
        quote!(),
        quote!(
            fn f(&self);
        ),
        "put the attribute on the implementation",
    );
    refused(
        quote!(),
        quote!(
            const fn f() {}
        ),
        "a const fn may run in the compiler",
    );
}

#[test]
fn the_signature_and_the_other_attributes_are_left_alone() {
    let item = quote! {
        #[must_use] pub(crate) async unsafe fn f<'a, T: Copy>(mut self: Box<Self>, a: &'a T) -> impl Fn() + 'a where T: Send
    };
    let emitted = attribute(Kind::Tool, quote!(), quote!(#item { body() })).to_string();
    assert!(emitted.starts_with(&item.to_string()), "{emitted}");
}
