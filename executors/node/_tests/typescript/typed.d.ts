export declare const typed: () => null;
