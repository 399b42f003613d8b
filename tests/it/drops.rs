//! An attribute does not change when the arguments of a function are dropped.

#![allow(unused_variables, reason = "unused arguments are dropped too")]

use std::cell::RefCell;

use spanwright::step;

type Order = RefCell<Vec<&'static str>>;

/// Tells when it is dropped.
struct Told<'a>(&'static str, &'a Order);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

/// The same functions twice.
macro_rules! functions {
    ($(#[$attribute:meta])* $sync:ident $asynchronous:ident $method:ident) => {
        $(#[$attribute])*
        fn $sync(first: Told<'_>, second: Told<'_>, third: Told<'_>, fourth: Told<'_>) {
            let local = Told("local", fourth.1);
            drop(third);
        }

        $(#[$attribute])*
        async fn $asynchronous(first: Told<'_>, second: Told<'_>, third: Told<'_>, (fourth, fifth): (Told<'_>, Told<'_>)) {
            let local = Told("local", second.1);
            drop(third);
            std::future::ready(()).await;
        }

        impl Told<'_> {
            $(#[$attribute])*
            async fn $method(self, second: Told<'_>, third: Told<'_>) {
                let local = Told("local", self.1);
                std::future::ready(()).await;
            }
        }
    };
}

functions!(plain plain_async plain_method);
functions!(#[step] traced traced_async traced_method);

fn order(run: impl FnOnce(&dyn Fn(&'static str) -> Told<'static>)) -> Vec<&'static str> {
    let told: &'static Order = Box::leak(Box::default());
    crate::record::record(|| run(&|name| Told(name, told)));
    told.take()
}

#[test]
fn arguments_are_dropped_in_the_order_of_a_plain_function() {
    let expected = order(|t| plain(t("first"), t("second"), t("third"), t("fourth")));
    assert_eq!(expected, ["third", "local", "fourth", "second", "first"]);
    assert_eq!(order(|t| traced(t("first"), t("second"), t("third"), t("fourth"))), expected);
}

#[test]
fn so_they_are_in_an_async_function_that_ends_and_in_one_that_is_dropped() {
    use crate::record::block_on;
    let both = |t: &dyn Fn(&'static str) -> Told<'static>| (t("fourth"), t("fifth"));
    assert_eq!(
        order(|t| block_on(traced_async(t("first"), t("second"), t("third"), both(t)))),
        order(|t| block_on(plain_async(t("first"), t("second"), t("third"), both(t))))
    );
    assert_eq!(
        order(|t| drop(traced_async(t("first"), t("second"), t("third"), both(t)))),
        order(|t| drop(plain_async(t("first"), t("second"), t("third"), both(t))))
    );
    assert_eq!(
        order(|t| block_on(t("self").traced_method(t("second"), t("third")))),
        order(|t| block_on(t("self").plain_method(t("second"), t("third"))))
    );
}
