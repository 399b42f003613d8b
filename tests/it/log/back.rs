//! Reading backwards.

use super::{Gate, event, of_each_log, read, step};
use proptest::prelude::*;
use spanwright::{
    ExecutionId,
    event::{ExecutionStart, TextDelta},
    log::{LoggedEvent, Query, Scope},
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever was written and however large the pages are.
    #[test]
    fn pages_read_backwards_are_what_is_read_forwards(
        events in prop::collection::vec((0..3_usize, any::<bool>()), 1..60),
        limit in 1..20_usize,
    ) {
        of_each_log(|log| {
            let ids = [ExecutionId::new(), ExecutionId::new(), ExecutionId::new()];
            let mut gate = Gate::new(log);
            let start = |at: usize| ExecutionStart::new().session_id(["a", "b", "b"][at]).tenant_id(["x", "x", "y"][at]);
            gate.append(ids.iter().enumerate().map(|(at, id)| event(id, start(at))));
            for (at, logged) in &events {
                let piece = || event(&ids[*at], TextDelta::new("t", "not kept"));
                gate.append([if *logged { step(&ids[*at], "step") } else { piece() }]);
            }
            let scopes = [Scope::Everything, Scope::Session("b".into()), Scope::Execution(ids[2].clone())];
            for (scope, tenant) in scopes.iter().flat_map(|scope| [None, Some("x"), Some("y")].map(|tenant| (scope, tenant))) {
                let whose = |query: Query| tenant.map_or(query.clone(), |tenant| query.of_tenant(tenant));
                let forwards = read(log, whose(Query::new(scope.clone(), 0, 1_000))).events;
                let (mut backwards, mut before) = (Vec::<LoggedEvent>::new(), u64::MAX);
                loop {
                    let page = read(log, whose(Query::back(scope.clone(), before, limit)));
                    assert!(page.events.len() <= limit && page.read_from <= before);
                    backwards.splice(0..0, page.events);
                    if page.complete {
                        break;
                    }
                    before = page.read_from;
                }
                assert_eq!(backwards, forwards, "{scope:?} of {tenant:?}");
            }
        });
    }
}
