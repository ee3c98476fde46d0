"""What the network has to beat: openSMILE features with a support vector machine."""
