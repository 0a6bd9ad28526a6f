//! (term)
/// How.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours.
    pub color: bool,
}
/// Text.
pub fn text(_chart: &super::chart::Chart, _columns: usize, _rows: usize, _style: Style) -> String {
    String::new()
}
