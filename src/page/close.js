// The viewer goes on when this tab is gone (Authorization Flow 2.0, section 3).
"use strict";
const button = document.getElementById("close");
button.addEventListener("click", () => window.close());
window.close();
