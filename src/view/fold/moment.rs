//! What happens at once: looks into memory, verdicts, scores, things made.

use super::{preview, shown};
use crate::{
    StreamEvent,
    event::{Body, InboxMessageType, OperationProgress, ProgressStatus},
    view::{
        Change, NodeKind, RunTree, Status, Usage,
        tree::{End, Key},
    },
};

impl RunTree {
    pub(super) fn fold_search(&mut self, event: &StreamEvent) -> Option<Change> {
        Some(match &event.body {
            Body::MemoryRecalled(found) => {
                self.found(event, NodeKind::Memory, "recall", &found.query, found.memories_count, found.duration_ms)
            }
            Body::Retrieval(found) => {
                let source = found.data_source_id.as_deref().unwrap_or_default();
                self.found(event, NodeKind::Retriever, source, &found.query, found.documents_count, found.duration_ms)
            }
            Body::MemoryStored(stored) => {
                self.remark(event, NodeKind::Memory, "store", &format!("stored {}", stored.memory_type))
            }
            Body::MemoryUpdated(update) => {
                let count = update.count.map_or(String::new(), |count| format!(" {count}"));
                self.remark(event, NodeKind::Memory, "update", &format!("{}{count}", update.operation))
            }
            Body::Embedding(embedding) => {
                let (at, change) =
                    self.moment(event, NodeKind::Embedding, &embedding.model, Some(embedding.duration_ms));
                let input = embedding.prompt_tokens.filter(|tokens| *tokens > 0);
                self.spend(at, Usage { input, is_unknown: input.is_none(), ..Usage::default() });
                change
            }
            _ => return None,
        })
    }

    fn found(&mut self, event: &StreamEvent, kind: NodeKind, name: &str, query: &str, hits: u64, ms: u64) -> Change {
        let (at, change) = self.moment(event, kind, name, Some(ms));
        let facts = &mut self.nodes[at].facts;
        facts.hits = Some(facts.hits.unwrap_or(0).saturating_add(hits));
        facts.preview = shown(query);
        change
    }

    fn remark(&mut self, event: &StreamEvent, kind: NodeKind, name: &str, remark: &str) -> Change {
        let (at, change) = self.moment(event, kind, name, None);
        self.nodes[at].facts.remark = shown(remark);
        change
    }

    pub(super) fn fold_verdict(&mut self, event: &StreamEvent) -> Option<Change> {
        Some(match &event.body {
            Body::GuardrailEvaluated(verdict) => {
                let (at, change) = self.moment(event, NodeKind::Guardrail, &verdict.guardrail_name, None);
                let facts = &mut self.nodes[at].facts;
                facts.verdict = Some(verdict.decision.clone());
                facts.remark = shown(verdict.reason.as_deref().unwrap_or_default());
                change
            }
            Body::GoalEvaluated(goal) => {
                let said = scored(&goal.status.to_string(), goal.score, goal.reason.as_deref());
                self.remark(event, NodeKind::Goal, &goal.goal_id, &said)
            }
            Body::EvaluationScored(score) => {
                let label = score.label.as_deref().unwrap_or_default();
                let said = scored(label, score.score, score.explanation.as_deref());
                self.remark(event, NodeKind::Evaluator, &score.name, &said)
            }
            Body::FeedbackReceived(feedback) => {
                let said = scored("", feedback.score, feedback.comment.as_deref());
                self.remark(event, NodeKind::Feedback, feedback.feedback_type.as_str(), &said)
            }
            Body::Error(error) => {
                let (at, change) = self.moment(event, NodeKind::Error, "", None);
                self.nodes[at].status = Status::Error;
                self.nodes[at].facts.error = shown(&error.error.message);
                change
            }
            _ => return None,
        })
    }

    pub(super) fn fold_state(&mut self, event: &StreamEvent) -> Option<Change> {
        Some(match &event.body {
            Body::ArtifactCreated(made) => {
                let name = made.name.as_ref().unwrap_or(&made.artifact_id);
                let size = made
                    .size_bytes
                    .map_or(String::new(), |bytes| format!(", {} bytes", crate::view::words::count(bytes)));
                self.remark(event, NodeKind::Artifact, name, &format!("{}{size}", made.artifact_type))
            }
            Body::CheckpointSaved(saved) => self.remark(event, NodeKind::Checkpoint, &saved.checkpoint_id, ""),
            Body::Note(note) => {
                let (at, change) = self.moment(event, NodeKind::Note, &note.name, None);
                self.nodes[at].facts.preview = preview(&note.value);
                change
            }
            Body::AgentHandoff(handoff) => {
                self.remark(event, NodeKind::Handoff, &handoff.to_agent, handoff.reason.as_deref().unwrap_or_default())
            }
            Body::InboxMessage(message) => {
                // What a control message asks for is its id: `cancel`. Others have ids that say nothing to people.
                let is_control = message.message_type == InboxMessageType::Control;
                let said = if is_control { message.message_id.as_ref() } else { "" };
                self.remark(event, NodeKind::Inbox, message.message_type.as_str(), said)
            }
            Body::StepDiscovered(step) => {
                self.remark(event, NodeKind::Discovered, step.source_type.as_str(), &step.reason)
            }
            Body::StateSnapshot(snapshot) if self.nodes[0].facts.preview.is_empty() => {
                // Worth a look only where nothing says what was asked.
                self.nodes[0].facts.preview = preview(&snapshot.state);
                Change::Updated
            }
            Body::OperationProgress(progress) => self.progress(event, progress),
            _ => return None,
        })
    }

    fn progress(&mut self, event: &StreamEvent, progress: &OperationProgress) -> Change {
        let key = Key::Job(progress.operation_id.clone());
        let known = self.find(&key);
        let at = known.unwrap_or_else(|| {
            let at = self.grow(NodeKind::Job, &progress.operation_type, None, event.step_id.as_ref());
            self.nodes[at].started = event.time;
            self.keys.insert(key, at);
            at
        });
        let facts = &mut self.nodes[at].facts;
        facts.progress = Some((progress.done, progress.total));
        if let Some(message) = &progress.message {
            facts.remark = shown(message);
        }
        match progress.status {
            ProgressStatus::Completed => self.end(at, event.time, End::well(None)),
            ProgressStatus::Failed => {
                let error = progress.message.as_deref();
                self.end(at, event.time, End { status: Status::Error, duration_ms: None, error })
            }
            _ if known.is_none() => Change::Started(at),
            _ => Change::Updated,
        }
    }
}

/// `met 0.9: all sources agree`, as far as known.
fn scored(word: &str, score: Option<f64>, reason: Option<&str>) -> String {
    let score = score.filter(|score| score.is_finite()).map(|score| score.to_string());
    let head: Vec<&str> =
        [Some(word), score.as_deref()].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let parts: Vec<String> =
        [head.join(" "), reason.unwrap_or_default().into()].into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}
