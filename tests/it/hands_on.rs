//! The logs of tests that change one thing about a log: the rest is the log's inside them.

/// Writes these methods of `EventLog`, each handed on to the log inside.
macro_rules! hands_on {
    ($self:ident to $log:expr => $($method:ident)+) => { $(crate::hands_on::hands_on!(@ $method $self $log);)+ };
    (@ opened_at $self:ident $log:expr) => {
        fn opened_at(&$self) -> spanwright::Cursor { $log.opened_at() }
    };
    (@ unfinished $self:ident $log:expr) => {
        fn unfinished(&$self) -> spanwright::Pending<Vec<spanwright::event::OpenThings>> { $log.unfinished() }
    };
    (@ append $self:ident $log:expr) => {
        fn append(&$self, batch: std::sync::Arc<spanwright::event::Batch>) -> spanwright::Pending<()> { $log.append(batch) }
    };
    (@ flush $self:ident $log:expr) => {
        fn flush(&$self) -> spanwright::Pending<()> { $log.flush() }
    };
    (@ read $self:ident $log:expr) => {
        fn read(&$self, query: spanwright::log::Query) -> spanwright::Pending<spanwright::log::Page> { $log.read(query) }
    };
    (@ last_before $self:ident $log:expr) => {
        fn last_before(
            &$self,
            id: spanwright::ExecutionId,
            offset: u64,
        ) -> spanwright::Pending<Option<spanwright::log::LoggedEvent>> {
            $log.last_before(id, offset)
        }
    };
    (@ resolve $self:ident $log:expr) => {
        fn resolve(&$self, cursor: spanwright::Cursor) -> spanwright::Pending<spanwright::log::Resolved> {
            $log.resolve(cursor)
        }
    };
    (@ executions $self:ident $log:expr) => {
        fn executions(
            &$self,
            query: spanwright::log::ExecutionsQuery,
        ) -> spanwright::Pending<Vec<spanwright::log::ExecutionRow>> {
            $log.executions(query)
        }
    };
    (@ sessions $self:ident $log:expr) => {
        fn sessions(
            &$self,
            query: spanwright::log::SessionsQuery,
        ) -> spanwright::Pending<Vec<spanwright::log::SessionRow>> {
            $log.sessions(query)
        }
    };
    (@ execution $self:ident $log:expr) => {
        fn execution(
            &$self,
            id: spanwright::ExecutionId,
        ) -> spanwright::Pending<Option<spanwright::log::ExecutionRow>> {
            $log.execution(id)
        }
    };
    (@ place $self:ident $log:expr) => {
        fn place(&$self, name: spanwright::Text) -> spanwright::Pending<Option<u64>> { $log.place(name) }
    };
    (@ keep_place $self:ident $log:expr) => {
        fn keep_place(&$self, name: spanwright::Text, offset: u64) -> spanwright::Pending<()> {
            $log.keep_place(name, offset)
        }
    };
    (@ close $self:ident $log:expr) => {
        fn close(&$self) -> spanwright::Pending<()> { $log.close() }
    };
}

pub(crate) use hands_on;
