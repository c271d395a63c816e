/** The version of server, agent and command line; one for all. */
export const VERSION = "0.1.0";
