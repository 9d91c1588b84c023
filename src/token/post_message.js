// Posts the message beside this script to the viewer (Authorization Flow 2.0, section 4.3).
"use strict";
const { message, targetOrigin } = JSON.parse(document.getElementById("post").textContent);
window.parent.postMessage(message, targetOrigin);
