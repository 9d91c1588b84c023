// Opens the helper window within the click that posts the form: later no window may be opened.
"use strict";
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    const helper = form.dataset.handOff;
    if (helper && event.submitter?.value !== "decline") {
      window.open(helper, "", "popup,width=320,height=160");
    }
  });
}
