// A file that is not an image service, such as a PDF: embedded, and linked.

export class FileView {
  #root;

  constructor(root) {
    this.#root = root;
  }

  open(content, name, onend) {
    const frame = document.createElement("object");
    frame.type = content.format ?? "application/pdf";
    frame.setAttribute("aria-label", name);
    frame.addEventListener("load", () => onend(true));
    frame.addEventListener("error", () => onend(false));
    frame.data = content.id;

    const link = document.createElement("a");
    link.className = "button second";
    link.href = content.id;
    link.target = "_blank";
    link.textContent = `Open “${name}” in a tab`;
    this.#root.replaceChildren(frame, link);
  }

  close() {
    this.#root.replaceChildren();
  }
}
