import { ref } from 'vue'

/** The access token, in memory only; empty if nobody is logged in. The session store sets it. */
export const token = ref('')
