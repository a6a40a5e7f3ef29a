<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>fw::ui::ClipDetails</name>
    <message numerus="yes">
        <source>%n clips selected</source>
        <translation>
            <numerusform>%n clip selected</numerusform>
            <numerusform>%n clips selected</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n files are missing.</source>
        <translation>
            <numerusform>%n file is missing.</numerusform>
            <numerusform>%n files are missing.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::Cost</name>
    <message numerus="yes">
        <source>%1
%2 ms, %n call(s)</source>
        <translation>
            <numerusform>%1
%2 ms, %n call</numerusform>
            <numerusform>%1
%2 ms, %n calls</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n call(s) answered by the cache</source>
        <translation>
            <numerusform>%n call answered by the cache</numerusform>
            <numerusform>%n calls answered by the cache</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::DifferenceDialog</name>
    <message numerus="yes">
        <source>What differs between the first %n clips</source>
        <translation>
            <numerusform>What differs between the first %n clip</numerusform>
            <numerusform>What differs between the first %n clips</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryModel</name>
    <message numerus="yes">
        <source>%1, %n stars</source>
        <translation>
            <numerusform>%1, %n star</numerusform>
            <numerusform>%1, %n stars</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::LibraryPanel</name>
    <message numerus="yes">
        <source>%n clips deleted.</source>
        <translation>
            <numerusform>%n clip deleted.</numerusform>
            <numerusform>%n clips deleted.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clips moved to the trash.</source>
        <translation>
            <numerusform>%n clip moved to the trash.</numerusform>
            <numerusform>%n clips moved to the trash.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clips restored.</source>
        <translation>
            <numerusform>%n clip restored.</numerusform>
            <numerusform>%n clips restored.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete %n clips for good?</source>
        <translation>
            <numerusform>Delete %n clip for good?</numerusform>
            <numerusform>Delete %n clips for good?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n clips to compare</source>
        <translation>
            <numerusform>%n clip to compare</numerusform>
            <numerusform>%n clips to compare</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::MainWindow</name>
    <message numerus="yes">
        <source>The queue is paused; %n clip(s) wait.</source>
        <translation>
            <numerusform>The queue is paused; %n clip waits.</numerusform>
            <numerusform>The queue is paused; %n clips wait.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Framewright did not end properly last time. %n clip(s) wait; the one in the making goes on from its last step.</source>
        <translation>
            <numerusform>Framewright did not end properly last time. %n clip waits; the one in the making goes on from its last step.</numerusform>
            <numerusform>Framewright did not end properly last time. %n clips wait; the one in the making goes on from its last step.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Framewright did not end properly last time. %n clip(s) wait.</source>
        <translation>
            <numerusform>Framewright did not end properly last time. %n clip waits.</numerusform>
            <numerusform>Framewright did not end properly last time. %n clips wait.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::Modules</name>
    <message numerus="yes">
        <source>%n step(s)</source>
        <translation>
            <numerusform>%n step</numerusform>
            <numerusform>%n steps</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>fw::ui::WhatIfBar</name>
    <message numerus="yes">
        <source>%n heads painted</source>
        <translation>
            <numerusform>%n head painted</numerusform>
            <numerusform>%n heads painted</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n steps to compute</source>
        <translation>
            <numerusform>%n step to compute</numerusform>
            <numerusform>%n steps to compute</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n settings changed</source>
        <translation>
            <numerusform>%n setting changed</numerusform>
            <numerusform>%n settings changed</numerusform>
        </translation>
    </message>
</context>
</TS>
