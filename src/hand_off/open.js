// Opens the helper window within the click that sends a form: later no window may be opened. The path of the
// helper stands in the form, or is the folder of this script.
"use strict";
{
  const { src } = document.currentScript;
  const folder = src.slice(0, src.lastIndexOf("/"));
  for (const form of document.querySelectorAll("form[data-hand-off]")) {
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      const isDeclined = button?.value === "decline" || button?.dataset.handOff === "no";
      if (event.defaultPrevented || isDeclined || !("handOff" in form.dataset)) {
        return;
      }
      // The helper tells this page from the next one by it.
      document.documentElement.dataset.handOff = "sent";
      const helper = form.dataset.handOff || folder;
      // A helper that somebody else opened does not know this tab's value.
      const value = crypto.getRandomValues(new Uint32Array(4)).join("-");
      try {
        sessionStorage.setItem("iiif-hand-off", value);
      } catch {
        // Then the page behind asks for a click.
      }
      window.open(`${helper}#${value}`, "", "popup,width=320,height=160");
    });
  }
}
