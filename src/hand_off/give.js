// The helper window takes the code from this page and closes it; without a helper it closes by itself.
"use strict";
const button = document.getElementById("close");
button.addEventListener("click", () => window.close());
setTimeout(() => window.close(), 1500);
