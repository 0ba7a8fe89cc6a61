// The form of a conversation, answered piece by piece. Without this it is sent as any other, and answered as a whole.

import { Asking } from "./asking.js";
import { lookAgain } from "./waiting.js";

new Asking(document.getElementById("asking"));
lookAgain(document.querySelector("[data-waiting]"));
