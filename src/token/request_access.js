// Asks the browser for leave to use this site's cookies in the viewer, after a click (Storage Access
// API), and tells the viewer what came of it.
"use strict";
const { targetOrigin } = JSON.parse(document.getElementById("viewer").textContent);
const tell = (granted) => window.parent.postMessage({ granted }, targetOrigin);
document.getElementById("grant").addEventListener("click", async () => {
  try {
    await document.requestStorageAccess();
    tell(true);
  } catch {
    // The user said no, or the browser does not know the question.
    tell(false);
  }
});
