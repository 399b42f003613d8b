//! The function again, with its body run in a span. Only absolute paths, no bound, no change of signature.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Type;
use syn::ext::IdentExt;

use crate::args::{self, Args};
use crate::fallback::fallback;
use crate::function::{Function, Shape};
use crate::kind::{Kind, Verb};

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

struct Expansion {
    kind: Kind,
    args: Args,
    function: Function,
}

impl Expansion {
    fn tokens(&self) -> TokenStream {
        let Function { attributes, visibility, sig, .. } = &self.function;
        let (span, open, note, run) = (span(), self.open(), self.note(), self.run());
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
        match self.function.arguments().into_iter().find(|argument| argument == "model") {
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
        let kept = self.kept();
        let keys = kept.iter().map(|argument| argument.unraw().to_string());
        if kept.is_empty() {
            return TokenStream::new();
        }
        quote!(#span.#verb(&#private::object([#((#keys, (&&&#private::Arg(&#kept)).json())),*]));)
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
        let mut arguments = self.function.arguments();
        arguments.retain(|argument| !argument.to_string().starts_with('_') && !self.args.skip.contains(argument));
        arguments
    }

    fn run(&self) -> TokenStream {
        let (private, span, read) = (private(), span(), self.read());
        let (body, output) = (self.body(), self.closure_output());
        let future = Ident::new("__spanwright_future", Span::mixed_site());
        match self.function.shape() {
            Shape::Sync => quote!(#private::call(#span, move || #output { #body }).read(#read)),
            Shape::Async => {
                let typed = self.typed_return();
                quote!(#private::run(#span, async move { #typed #body }).read(#read).await)
            }
            Shape::Future => quote! {
                let #future = #private::make(&#span, move || #output { #body });
                #private::run(#span, #future).read(#read)
            },
            Shape::BoxedFuture => quote! {
                let #future = #private::make(&#span, move || #output { #body });
                ::std::boxed::Box::pin(#private::run(#span, #future).read(#read))
            },
        }
    }

    /// The user's statements, after a mention of every argument in reverse. That moves all of them in, used or not, and in
    /// the order in which a function drops them: captured variables are dropped as they were first mentioned.
    fn body(&self) -> TokenStream {
        let mut arguments = self.function.arguments();
        arguments.reverse();
        let owned_self = self.function.owned_self().map(|receiver| receiver.self_token).into_iter();
        let statements = self.function.body.stream();
        quote!(#(let _ = &#arguments;)* #(let _ = &#owned_self;)* #statements)
    }

    fn closure_output(&self) -> TokenStream {
        match self.function.output() {
            Some(output) => quote!(-> #output),
            None => TokenStream::new(),
        }
    }

    /// An async block has no place for its type; a `return` that is never reached tells it.
    fn typed_return(&self) -> TokenStream {
        let private = private();
        match self.function.output() {
            Some(Type::Never(_)) => TokenStream::new(),
            Some(output) => quote!(if false { return #private::never::<#output>(); }),
            None => quote!(if false { return #private::never::<()>(); }),
        }
    }

    /// What is told to the span when the work is done.
    fn read(&self) -> TokenStream {
        if self.function.returns_nothing() {
            return quote!(|_, _| {});
        }
        let (private, span) = (private(), span());
        let output = Ident::new("__spanwright_output", Span::mixed_site());
        let keep = if self.kind == Kind::Tool { quote!(result) } else { quote!(output) };
        let extra = match (self.kind, self.args.verb) {
            (Kind::Guardrail, _) => quote!(#private::verdict(#span, (&&&#private::Out(#output)).verdict());),
            (_, Some(Verb::Recall)) => quote!(#private::records(#span, (&&&&#private::Out(#output)).count());),
            _ => TokenStream::new(),
        };
        quote! {
            |#span, #output| {
                use #private::ask::*;
                #private::#keep(#span, (&&&&&&#private::Out(#output)).json());
                #extra
                #private::end(#span, (&&&&#private::Out(#output)).failure());
            }
        }
    }
}

/// Hygienic: a body cannot see it, nor hide it.
fn span() -> Ident {
    Ident::new("__spanwright_span", Span::mixed_site())
}

fn private() -> TokenStream {
    quote!(::spanwright::__private)
}
