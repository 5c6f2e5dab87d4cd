//! The narrative of a control: Markdown by whoever wrote the control file.
//!
//! Raw HTML becomes text, an image becomes its description, a heading becomes a paragraph (the report has its own
//! outline), and a link stays one only when it leads to `https:`, `mailto:` or a place in the report.

use pulldown_cmark::{Event, Parser, Tag, TagEnd, html};

use super::escape::{markdown_code, markdown_words, visible};

/// The narrative as HTML.
pub(super) fn to_html(text: &str) -> String {
    let source = seen(text);
    let mut out = String::new();
    html::push_html(&mut out, tame(&source).into_iter());
    out
}

/// The narrative as Markdown again, with nothing in it but paragraphs, lists, emphasis and code.
pub(super) fn to_markdown(text: &str) -> String {
    let source = seen(text);
    let mut out = String::new();
    let mut target = String::new();
    let mut in_code = false;
    for event in tame(&source) {
        match event {
            Event::Text(text) if in_code => out.push_str(&markdown_code(text.trim_end())),
            Event::Text(text) => out.push_str(&markdown_words(&text)),
            Event::Code(code) => out.push_str(&markdown_code(&code)),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) => out.push_str("**"),
            Event::Start(Tag::Emphasis) | Event::End(TagEnd::Emphasis) => out.push('*'),
            Event::Start(Tag::Item) => out.push_str("- "),
            Event::Start(Tag::Link { dest_url, .. }) => target = dest_url.into_string(),
            Event::End(TagEnd::Link) => out.push_str(&format!(" ({})", markdown_code(&target))),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => {
                in_code = false;
                out.push_str("\n\n");
            }
            Event::End(TagEnd::Item) => out.push('\n'),
            Event::End(TagEnd::Paragraph | TagEnd::List(_)) => out.push_str("\n\n"),
            _ => {}
        }
    }
    out.trim_end().to_owned()
}

/// Line by line, so that the lines stay.
fn seen(text: &str) -> String {
    text.lines().map(|line| visible(line, usize::MAX) + "\n").collect()
}

fn tame(source: &str) -> Vec<Event<'_>> {
    let mut links = Vec::new(); // whether each open link is kept
    let mut events = Vec::new();
    for event in Parser::new(source) {
        match event {
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            Event::Start(Tag::HtmlBlock | Tag::Heading { .. }) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock | TagEnd::Heading(_)) => events.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                let kept = ["https://", "mailto:", "#"].iter().any(|start| dest_url.starts_with(start));
                links.push(kept);
                events.extend(kept.then_some(event));
            }
            Event::End(TagEnd::Link) => events.extend(links.pop().unwrap_or(false).then_some(event)),
            other => events.push(other),
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    const WILD: &str = "# Big\n\n<script>alert(1)</script>\n\ntext <img src=x onerror=a> ![pic](http://x/y.png) \
                        [bad](javascript:alert(1)) [good](https://a.example) **strong** `code`\n\n- one\n- two\n";

    #[test]
    fn html_holds_no_element_that_the_author_wrote_by_hand() {
        let html = to_html(WILD);
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("javascript:"), "{html}");
        assert!(!html.contains("<h1"), "{html}");
        assert!(
            html.contains("<a href=\"https://a.example\">good</a> <strong>strong</strong> <code>code</code>"),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
    }

    #[test]
    fn markdown_holds_no_link_image_or_html() {
        let text = to_markdown(WILD);
        for event in Parser::new(&text) {
            let wild = matches!(
                event,
                Event::Html(_)
                    | Event::InlineHtml(_)
                    | Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Heading { .. })
            );
            assert!(!wild, "{event:?} in {text}");
        }
        assert!(text.contains("good (`https://a.example`) **strong** `code`"), "{text}");
        assert!(text.ends_with("- one\n- two"), "{text}");
    }
}
