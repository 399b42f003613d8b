//! In which order nodes are drawn, below what, and which are left out where there is no room for all.

use super::{RunTree, tree::Key};

/// A drawn line of a tree.
#[derive(Debug)]
pub(super) struct Row {
    /// The branches left of it.
    pub(super) branches: String,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// This node.
    Node(usize),
    /// So many nodes that have no line of their own.
    Hidden(usize),
}

/// Deeper nodes are drawn at this depth.
const DEPTH_MAX: usize = 24;

impl RunTree {
    /// The number of the node around each node. That of the root is its own; what stands around a node and was not
    /// seen is the root, and so it is where nodes claim to be around each other.
    pub fn parents(&self) -> Vec<usize> {
        let told = self.nodes.iter().map(|node| {
            let parent = node.parent_step_id.as_ref().and_then(|step| self.find(&Key::Step(step.clone())));
            parent.unwrap_or(0)
        });
        let mut parents: Vec<usize> = told.collect();
        parents[0] = 0;
        cut_circles(&mut parents);
        parents
    }
}

/// The rows of a whole tree; what is below one node in the order of the texts that `line` has for them.
pub(super) fn sorted_rows(tree: &RunTree, line: impl Fn(usize) -> String) -> Vec<Row> {
    let mut children = children(tree, &vec![true; tree.nodes.len()]);
    let mut texts: Vec<String> = (0..tree.nodes.len()).map(line).collect();
    // Backwards, all that is below a node comes before it: its text is complete.
    for at in order(&children).into_iter().rev() {
        children[at].sort_by(|one, other| texts[*one].cmp(&texts[*other]));
        for child in &children[at] {
            let below = std::mem::take(&mut texts[*child]);
            texts[at].push('\n');
            texts[at].push_str(&below);
        }
    }
    with_hidden(walk(&children), tree.forgotten)
}

/// Each node before those below it.
fn order(children: &[Vec<usize>]) -> Vec<usize> {
    let mut order = vec![0];
    let mut at = 0;
    while let Some(node) = order.get(at) {
        order.extend(&children[*node]);
        at += 1;
    }
    order
}

/// The rows of a tree, at most `height` (and at least the root).
pub(super) fn rows(tree: &RunTree, height: usize) -> Vec<Row> {
    let all_fit = tree.nodes.len() <= height && tree.forgotten == 0;
    let room = if all_fit { height } else { height.saturating_sub(1).max(1) };
    let kept = choose(tree, room);
    let hidden = kept.iter().filter(|kept| !**kept).count() + tree.forgotten;
    let rows = walk(&children(tree, &kept));
    if height > 1 { with_hidden(rows, hidden) } else { rows }
}

/// The rows, and one below the root that counts those without a line.
fn with_hidden(mut rows: Vec<Row>, hidden: usize) -> Vec<Row> {
    if hidden > 0 {
        let branches = if rows.len() > 1 { "├─ " } else { "└─ " }.into();
        rows.insert(1, Row { branches, what: What::Hidden(hidden) });
    }
    rows
}

/// Which nodes get one of `room` places: the root, what runs, then what was seen last; each with all that is around it.
pub(super) fn choose(tree: &RunTree, room: usize) -> Vec<bool> {
    let nodes = &tree.nodes;
    if nodes.len() <= room {
        return vec![true; nodes.len()];
    }
    let parents = tree.parents();
    let mut kept = vec![false; nodes.len()];
    kept[0] = true;
    let mut room = room.saturating_sub(1);
    let running = (1..nodes.len()).rev().filter(|at| nodes[*at].status.is_running());
    let ended = (1..nodes.len()).rev().filter(|at| !nodes[*at].status.is_running());
    for at in running.chain(ended) {
        let path: Vec<usize> = path_to_kept(at, &parents, &kept).take(room + 1).collect();
        if path.len() <= room {
            room -= path.len();
            path.into_iter().for_each(|at| kept[at] = true);
        }
        if room == 0 {
            break;
        }
    }
    kept
}

fn path_to_kept<'a>(at: usize, parents: &'a [usize], kept: &'a [bool]) -> impl Iterator<Item = usize> + 'a {
    std::iter::successors(Some(at), |at| Some(parents[*at])).take_while(|at| !kept[*at])
}

fn cut_circles(parents: &mut [usize]) {
    const NEW: usize = 0;
    // Which walk came by; the root was reached before the first one.
    let mut walks = vec![NEW; parents.len()];
    walks[0] = 1;
    for start in 1..parents.len() {
        let (walk, mut at) = (start + 1, start);
        while walks[at] == NEW {
            walks[at] = walk;
            at = parents[at];
        }
        if walks[at] == walk {
            parents[at] = 0;
        }
    }
}

fn children(tree: &RunTree, kept: &[bool]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); kept.len()];
    let parents = tree.parents();
    for at in (1..kept.len()).filter(|at| kept[*at]) {
        children[parents[at]].push(at);
    }
    children
}

/// Without recursion: a tree may be as deep as it has nodes.
fn walk(children: &[Vec<usize>]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut open = vec![(0, String::new(), String::new())];
    while let Some((at, branches, indent)) = open.pop() {
        rows.push(Row { branches, what: What::Node(at) });
        let count = children[at].len();
        for (index, child) in children[at].iter().enumerate().rev() {
            let last = index + 1 == count;
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let deeper = if indent.chars().count() < 3 * DEPTH_MAX { below } else { "" };
            open.push((*child, format!("{indent}{branch}"), format!("{indent}{deeper}")));
        }
    }
    rows
}
