//! The function again, with its body run in a span. Only absolute paths, no bound, no change of signature.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::args::{self, Args};
use crate::fallback::fallback;
use crate::function::Function;
use crate::kind::{Kind, Verb};
use crate::run::Body;

pub(crate) fn attribute(kind: Kind, args: TokenStream, item: TokenStream) -> TokenStream {
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => return fallback(&error, item),
    };
    match args::parse(kind, args, &function) {
        Ok(args) => Expansion { kind, args, function }.tokens(),
        Err(error) => fallback(&error, item),
    }
}

/// One attribute on one function.
pub(crate) struct Expansion {
    pub(crate) kind: Kind,
    pub(crate) args: Args,
    pub(crate) function: Function,
}

impl Expansion {
    fn tokens(&self) -> TokenStream {
        let Function { attributes, visibility, sig, .. } = &self.function;
        let (span, open, note, run) = (span(), self.open(), self.note(), Body::new(self).tokens());
        quote! {
            #(#attributes)*
            #visibility #sig {
                let #span = #open;
                #note
                #run
            }
        }
    }

    fn open(&self) -> TokenStream {
        let (private, constructor) = (private(), format_ident!("{}", self.kind.word()));
        match (self.kind, self.args.verb) {
            (Kind::Memory, Some(verb)) => {
                let operation = format_ident!("{}", verb.operation());
                quote!(#private::memory(#private::operation::#operation))
            }
            (kind, _) if kind.has_model() => {
                let model = self.model();
                quote!(#private::#constructor(|| #model))
            }
            _ => {
                let name = self.name();
                quote!(#private::#constructor(#name))
            }
        }
    }

    fn name(&self) -> String {
        self.args.name.as_ref().map_or_else(|| self.function_name(), syn::LitStr::value)
    }

    fn function_name(&self) -> String {
        self.function.sig.ident.unraw().to_string()
    }

    fn model(&self) -> TokenStream {
        let private = private();
        if let Some(model) = &self.args.model {
            return quote!(#private::label(&(#model)));
        }
        let shown = |argument: &Ident| argument == "model" && !self.args.redact.contains(argument);
        match self.function.arguments().into_iter().find(shown) {
            Some(model) => quote!({ use #private::ask::*; (&&&#private::Arg(&#model)).label() }),
            None => quote!(::core::option::Option::None),
        }
    }

    /// What is told to the span before the work begins, if anybody listens.
    fn note(&self) -> TokenStream {
        let (private, span) = (private(), span());
        // Arguments last: a start is told with them, and with what was noted before.
        let notes = [self.note_callable(), self.note_fields(), self.note_query(), self.note_arguments()];
        if notes.iter().all(TokenStream::is_empty) {
            return TokenStream::new();
        }
        let asks = notes[1..].iter().any(|note| !note.is_empty());
        let ask = asks.then(|| quote!(use #private::ask::*;));
        quote!(if #span.is_enabled() { #ask #(#notes)* })
    }

    fn note_callable(&self) -> TokenStream {
        let span = span();
        let callable = if self.kind.is_named() { self.function_name() } else { self.name() };
        if self.kind.is_named() && callable == self.name() {
            return TokenStream::new();
        }
        quote!(#span.callable(#callable);)
    }

    fn note_arguments(&self) -> TokenStream {
        let (private, span) = (private(), span());
        let verb = if self.kind == Kind::Tool { quote!(arguments) } else { quote!(input) };
        let members: Vec<_> = self.function.arguments().iter().filter_map(|argument| self.member(argument)).collect();
        if members.is_empty() {
            return TokenStream::new();
        }
        quote!(#span.#verb(&#private::object([#(#members),*]));)
    }

    /// One member of the input: what a redacted argument holds is not even touched.
    fn member(&self, argument: &Ident) -> Option<TokenStream> {
        let (private, key) = (private(), argument.unraw().to_string());
        if self.args.redact.contains(argument) {
            return Some(quote!((#key, #private::redacted())));
        }
        self.keeps(argument).then(|| quote!((#key, (&&&#private::Arg(&#argument)).json())))
    }

    fn note_query(&self) -> TokenStream {
        let (private, span, kept) = (private(), span(), self.kept());
        let asks = self.kind == Kind::Retriever || self.args.verb == Some(Verb::Recall);
        if !asks || kept.is_empty() {
            return TokenStream::new();
        }
        quote!(#private::query(&#span, [#((&&#private::Arg(&#kept)).text()),*]);)
    }

    fn note_fields(&self) -> TokenStream {
        let (private, span) = (private(), span());
        let keys = self.args.fields.iter().map(|field| &field.key);
        let values = self.args.fields.iter().map(|field| &field.value);
        if self.args.fields.is_empty() {
            return TokenStream::new();
        }
        quote!(#private::fields(&#span, [#((#keys, (&&&#private::Arg(&(#values))).json())),*]);)
    }

    fn kept(&self) -> Vec<Ident> {
        self.function.arguments().into_iter().filter(|argument| self.keeps(argument)).collect()
    }

    fn keeps(&self, argument: &Ident) -> bool {
        let hidden = self.args.skip.contains(argument) || self.args.redact.contains(argument);
        !hidden && !argument.to_string().starts_with('_')
    }
}

/// Hygienic: a body cannot see it, nor hide it.
pub(crate) fn span() -> Ident {
    Ident::new("__spanwright_span", Span::mixed_site())
}

pub(crate) fn private() -> TokenStream {
    quote!(::spanwright::__private)
}
