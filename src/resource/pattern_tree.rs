//! Many patterns at once: one walk along a text finds the first of them that fits.
//!
//! A tree of the texts before each pattern's first star, every edge a piece of text. Where patterns end,
//! or have their star, their places stand. Nothing is looked at that does not begin as the text does.

use super::pattern_marks::Marks;

/// No place: larger than any.
const NONE: u32 = u32::MAX;

/// Patterns by how they begin, each with its place in the order.
#[derive(Clone, Debug)]
pub(super) struct PatternTree {
    nodes: Vec<Node>,
    /// Whether any pattern has a star inside: without one a text needs no marks.
    starred: bool,
}

#[derive(Clone, Debug)]
struct Node {
    /// What leads here from the node above.
    edge: Box<[u8]>,
    /// First bytes of the edges below, in order, and the nodes there.
    below: Vec<(u8, u32)>,
    /// The first pattern without a star that ends here.
    exact: u32,
    /// The first pattern whose one star is here, at its end.
    prefix: u32,
    /// Patterns whose first star is here and not their end, in order.
    inner: Vec<(Marks, u32)>,
}

impl Node {
    fn new(edge: &[u8]) -> Self {
        Self { edge: edge.into(), below: Vec::new(), exact: NONE, prefix: NONE, inner: Vec::new() }
    }

    /// The first place before `best` of those whose first star is here.
    #[inline]
    fn passed(
        &self,
        marks: Marks,
        mut best: Option<u32>,
        fits: &impl Fn(u32) -> bool,
    ) -> Option<u32> {
        if is_before(self.prefix, best) {
            best = Some(self.prefix);
        }
        let end = best.unwrap_or(NONE);
        let before = self.inner.iter().take_while(|(_, place)| *place < end);
        let mut possible = before.filter(|(own, _)| own.are_among(marks));
        possible.find(|(_, place)| fits(*place)).map_or(best, |(_, place)| Some(*place))
    }
}

impl Default for PatternTree {
    fn default() -> Self {
        Self { nodes: vec![Node::new(b"")], starred: false }
    }
}

impl PatternTree {
    pub(super) fn is_empty(&self) -> bool {
        let root = &self.nodes[0];
        root.below.is_empty() && root.prefix == NONE && root.exact == NONE && root.inner.is_empty()
    }

    /// Adds the pattern written as `text` at `place`, which is behind all that are there.
    pub(super) fn insert(&mut self, text: &str, place: u32) {
        let text = text.as_bytes();
        let Some(star) = memchr::memchr(b'*', text) else {
            let node = self.node(text);
            node.exact = node.exact.min(place);
            return;
        };
        let behind = &text[star + 1..];
        self.starred |= !behind.is_empty();
        let node = self.node(&text[..star]);
        if behind.is_empty() {
            node.prefix = node.prefix.min(place);
        } else {
            node.inner.push((Marks::of_pattern(behind), place));
        }
    }

    /// The node at the end of `text`, which is made if it is not there.
    fn node(&mut self, mut text: &[u8]) -> &mut Node {
        let mut at = 0;
        while let Some(&first) = text.first() {
            let found = self.nodes[at].below.binary_search_by_key(&first, |(byte, _)| *byte);
            let index = match found {
                Ok(index) => index,
                Err(index) => {
                    let new = self.add(Node::new(text));
                    self.nodes[at].below.insert(index, (first, new));
                    index
                }
            };
            at = self.nodes[at].below[index].1 as usize;
            let edge = &self.nodes[at].edge;
            let common = edge.iter().zip(text).take_while(|(own, byte)| own == byte).count();
            if common < edge.len() {
                self.split(at, common);
            }
            text = &text[common..];
        }
        &mut self.nodes[at]
    }

    /// Makes the edge that leads to a node end after `length` bytes, and another one go on from there.
    fn split(&mut self, at: usize, length: usize) {
        let mut lower = Node::new(&self.nodes[at].edge[length..]);
        let upper = Node::new(&self.nodes[at].edge[..length]);
        let first = lower.edge[0];
        let old = std::mem::replace(&mut self.nodes[at], upper);
        lower = Node { edge: lower.edge, ..old };
        let lower = self.add(lower);
        self.nodes[at].below.push((first, lower));
    }

    fn add(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).expect("fewer nodes than bytes of patterns")
    }

    /// The first place before `best` whose pattern fits a text, which comes in pieces; patterns with a star
    /// inside are asked by `fits`.
    #[inline]
    pub(super) fn first<const PIECES: usize>(
        &self,
        text: [&str; PIECES],
        mut best: Option<u32>,
        fits: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let marks = if self.starred {
            Marks::of_text(text.iter().flat_map(|piece| piece.bytes()))
        } else {
            Marks::default()
        };
        let mut node = &self.nodes[0];
        // What is left of the edge that leads to it.
        let mut edge = [].iter();
        for piece in text {
            for byte in piece.as_bytes() {
                if let Some(own) = edge.next() {
                    if own != byte {
                        return best;
                    }
                    continue;
                }
                best = node.passed(marks, best, &fits);
                let Ok(index) = node.below.binary_search_by_key(byte, |(first, _)| *first) else {
                    return best;
                };
                node = &self.nodes[node.below[index].1 as usize];
                edge = node.edge[1..].iter();
            }
        }
        if !edge.as_slice().is_empty() {
            return best;
        }
        best = node.passed(marks, best, &fits);
        if is_before(node.exact, best) { Some(node.exact) } else { best }
    }
}

fn is_before(place: u32, best: Option<u32>) -> bool {
    place < best.unwrap_or(NONE)
}
