//! The graph of access as a drawing: boxes in columns, lines between them, all in whole units of the drawing.

use serde::Serialize;

use crate::assess::{AccessGraph, Column, Node};
use crate::render::escape::Shown;

const WIDTH: usize = 1_000;
const BOX_WIDTH: usize = 158;
const BOX_HEIGHT: usize = 34;
const ROW: usize = 44;
const HEAD: usize = 26;
/// Characters of a label that fit into a box.
const FITS: usize = 25;

/// The drawing; without boxes there is none.
#[derive(Serialize)]
pub(super) struct GraphView {
    width: usize,
    height: usize,
    heads: Vec<Head>,
    boxes: Vec<BoxView>,
    lines: Vec<Line>,
    drawn: usize,
    is_cut: bool,
}

#[derive(Serialize)]
struct Head {
    x: usize,
    text: &'static str,
}

#[derive(Serialize)]
struct BoxView {
    x: usize,
    y: usize,
    /// Where the text stands.
    text_x: usize,
    text_y: usize,
    kind_y: usize,
    label: Shown,
    /// The whole label, where the box shows a part.
    whole: Option<Shown>,
    kind: Shown,
}

#[derive(Serialize)]
struct Line {
    /// Of an SVG path.
    d: String,
    is_sure: bool,
}

const COLUMNS: [(Column, &str); 5] = [
    (Column::Principal, "Identity"),
    (Column::Group, "Group"),
    (Column::Grant, "Granted by"),
    (Column::Scope, "At"),
    (Column::Object, "Vault"),
];

pub(super) fn graph(graph: &AccessGraph) -> GraphView {
    let of = |column: Column| graph.nodes.iter().filter(move |node| node.column == column);
    let used: Vec<(Column, &'static str)> =
        COLUMNS.into_iter().filter(|(column, _)| of(*column).next().is_some()).collect();
    let rows = used.iter().map(|(column, _)| of(*column).count()).max().unwrap_or_default();
    let step = (WIDTH - BOX_WIDTH) / used.len().saturating_sub(1).max(1);
    let x_of = |column: Column| used.iter().position(|(one, _)| *one == column).unwrap_or_default() * step;
    let mut corners = Vec::new();
    for (column, _) in &used {
        let nodes: Vec<&Node> = of(*column).collect();
        // a short column stands in the middle of the longest
        let top = HEAD + (rows - nodes.len()) * ROW / 2;
        corners.extend(nodes.iter().enumerate().map(|(row, _)| (x_of(*column), top + row * ROW)));
    }
    let boxes = graph.nodes.iter().zip(&corners).map(|(node, corner)| box_view(node, *corner));
    let lines = graph.edges.iter().filter_map(|edge| {
        let (from, to) = (corners.get(edge.from)?, corners.get(edge.to)?);
        let (x1, y1, x2, y2) = (from.0 + BOX_WIDTH, from.1 + BOX_HEIGHT / 2, to.0, to.1 + BOX_HEIGHT / 2);
        let middle = x1.midpoint(x2);
        let d = format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}");
        Some(Line { d, is_sure: edge.is_allowed })
    });
    GraphView {
        width: WIDTH,
        height: HEAD + rows * ROW,
        heads: used.iter().map(|(column, text)| Head { x: x_of(*column), text }).collect(),
        boxes: boxes.collect(),
        lines: lines.collect(),
        drawn: graph.drawn,
        is_cut: graph.is_cut,
    }
}

fn box_view(node: &Node, (x, y): (usize, usize)) -> BoxView {
    let is_long = node.label.chars().count() > FITS;
    let label = match is_long {
        true => node.label.chars().take(FITS - 1).chain(['…']).collect(),
        false => node.label.clone(),
    };
    BoxView {
        x,
        y,
        text_x: x + 8,
        text_y: y + if node.kind.is_empty() { 21 } else { 15 },
        kind_y: y + 28,
        label: Shown::name(&label),
        whole: is_long.then(|| Shown::name(&node.label)),
        kind: Shown::name(&node.kind),
    }
}
