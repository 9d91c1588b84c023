//! A protected file that is no image: a PDF of one page, made here.

use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse, Response};

pub(crate) const PATH: &str = "/files/handlist.pdf";

pub(crate) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/pdf")], pdf()).into_response()
}

/// The smallest PDF that prints a few lines: five objects and a table of their places.
fn pdf() -> String {
    let lines = [
        "Handlist of the Quickstart Collection",
        "",
        "1  Chart of the Open Sea",
        "2  Chart of the Narrow Strait",
        "3  The Great Archipelago",
        "4  The Unsurveyed Coast",
        "5  The Forbidden Island",
        "6  The Northern Passage",
        "7  Plan of the Harbour",
        "",
        "Whoever reads this has access.",
    ];
    let text = lines.map(|line| format!("({line}) Tj T*")).join("\n");
    let content = format!("BT /F1 16 Tf 60 760 Td 26 TL\n{text}\nET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut pdf = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (index, object) in objects.iter().enumerate() {
        let _ = writeln!(places, "{:010} 00000 n ", pdf.len());
        let _ = write!(pdf, "{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let table = pdf.len();
    let count = objects.len() + 1;
    let _ = write!(
        pdf,
        "xref\n0 {count}\n0000000000 65535 f \n{places}trailer\n<< /Size {count} /Root 1 0 R >>\n\
         startxref\n{table}\n%%EOF\n"
    );
    pdf
}
